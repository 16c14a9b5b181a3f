"""Checks and their results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Answer = tuple[bool | None, str]  # (passed, None if not applicable; the measured numbers)


@dataclass(frozen=True)
class Finding:
    """Result of a check.

    Args:
        part: the setting that is checked.
        promise: the checked property.
        holds: whether the property holds; None if it is reported without a verdict.
        numbers: the measured values.
        advice: how to fix a failure.
    """

    part: str
    promise: str
    holds: bool | None
    numbers: str
    advice: str

    @property
    def failed(self) -> bool:
        """Whether the check failed."""
        return self.holds is False


@dataclass(frozen=True)
class Check:
    """A property and the function that checks it.

    Args:
        part: the setting that is checked.
        promise: the checked property.
        advice: how to fix a failure, in one line.
        ask: runs the check. An exception counts as a failure.
    """

    part: str
    promise: str
    advice: str
    ask: Callable[[], Answer]

    def __call__(self) -> Finding:
        """Run the check and return its finding."""
        try:
            holds, numbers = self.ask()
        except Exception as error:  # any exception of a user class is a finding
            first = str(error).strip().partition("\n")[0]
            holds, numbers = False, f"raised {type(error).__name__}: {first}"
        judged = None if holds is None else bool(holds)  # numpy's False is not False
        return Finding(self.part, self.promise, judged, numbers, self.advice)


WORDS = {True: "pass", False: "FAIL", None: "-"}


def table(findings: Sequence[Finding]) -> str:
    """Return a table with a row per finding; a failure is followed by its advice.

    >>> print(table([Finding("loss", "leaves as (K,)", False, "(3, 4)", "reduce over the batch alone: .mean(1)")]))
          part  property        numbers
    FAIL  loss  leaves as (K,)  (3, 4)
                -> reduce over the batch alone: .mean(1)
    """
    rows = [("", "part", "property", "numbers")]
    rows += [(WORDS[one.holds], one.part, one.promise, one.numbers) for one in findings]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:3]
    lines = ["  ".join([*map(str.ljust, row, widths), row[3]]) for row in rows]
    indent = " " * (widths[0] + widths[1] + 4)
    for at in reversed(range(len(findings))):
        if findings[at].failed:
            lines.insert(at + 2, f"{indent}-> {findings[at].advice}")
    return "\n".join(line.rstrip() for line in lines)
