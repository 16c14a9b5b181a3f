"""Checks and their results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from gansweep.formatting import first_line

Answer = tuple[bool | None, str]
"""Whether the check passed, None if it is not applicable; and the measured numbers."""


@dataclass(frozen=True)
class Finding:
    """Result of a check; `passed` is None if it is reported without a verdict."""

    part: str
    requirement: str
    passed: bool | None
    numbers: str
    advice: str

    @property
    def failed(self) -> bool:
        """Whether the check failed."""
        return self.passed is False


@dataclass(frozen=True)
class Check:
    """A property, advice on a failure, and the function that checks it; an exception counts as a failure."""

    part: str
    requirement: str
    advice: str
    run: Callable[[], Answer]

    def __call__(self) -> Finding:
        """Run the check and return its finding."""
        try:
            passed, numbers = self.run()
        except Exception as error:  # any exception of a user class is a finding
            passed, numbers = False, f"raised {type(error).__name__}: {first_line(error)}"
        if passed is not None:
            passed = bool(passed)  # numpy's False is not False
        return Finding(self.part, self.requirement, passed, numbers, self.advice)


@dataclass(frozen=True)
class Requirement:
    """A function that checks a property of a class; `requirement` is its decorator.

    Args:
        text: the checked property; `{player}` is replaced.
        advice: how to fix a failure, in one line.
        run: computes the answer from the class.
    """

    text: str
    advice: str
    run: Callable[..., Answer]

    def check(self, part: str, *tested: Any, **names: str) -> Check:
        """Return the check of the given objects, which are arguments of `run`."""
        return Check(part, self.text.format(**names), self.advice, partial(self.run, *tested))


def requirement(text: str, advice: str) -> Callable[[Callable[..., Answer]], Requirement]:
    """Decorator of a function that checks a property of a class."""
    return partial(Requirement, text, advice)


WORDS = {True: "pass", False: "FAIL", None: "-"}


def table(findings: Sequence[Finding]) -> str:
    """Return a table with a row per finding; a failure is followed by its advice.

    >>> print(table([Finding("loss", "has shape (K,)", False, "(3, 4)", "reduce over the batch only: .mean(1)")]))
          part  property        numbers
    FAIL  loss  has shape (K,)  (3, 4)
                -> reduce over the batch only: .mean(1)
    """
    rows = [("", "part", "property", "numbers")]
    rows += [(WORDS[row.passed], row.part, row.requirement, row.numbers) for row in findings]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:3]
    lines = ["  ".join([*map(str.ljust, row, widths), row[3]]) for row in rows]
    indent = " " * (widths[0] + widths[1] + 4)
    for n in reversed(range(len(findings))):
        if findings[n].failed:
            lines.insert(n + 2, f"{indent}-> {findings[n].advice}")
    return "\n".join(line.rstrip() for line in lines)
