"""A promise, the way to try it, and what came out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Answer = tuple[bool | None, str]  # whether it holds, None where there is nothing to hold; the numbers behind it


@dataclass(frozen=True)
class Finding:
    """What came of a check.

    Args:
        part: which of the choices it is about.
        promise: what should be so.
        holds: whether it is; None for what is told without being judged.
        numbers: what was measured.
        advice: what to do if it does not hold.
    """

    part: str
    promise: str
    holds: bool | None
    numbers: str
    advice: str

    @property
    def failed(self) -> bool:
        """Whether a promise is broken."""
        return self.holds is False


@dataclass(frozen=True)
class Check:
    """A promise that can be tried.

    Args:
        part: which of the choices it is about.
        promise: what should be so.
        advice: what to do if it is not, in one line.
        ask: tries it. What it raises counts as a broken promise.
    """

    part: str
    promise: str
    advice: str
    ask: Callable[[], Answer]

    def __call__(self) -> Finding:
        """Try it."""
        try:
            holds, numbers = self.ask()
        except Exception as error:  # whatever a class of the user's does is a finding
            first = str(error).strip().partition("\n")[0]
            holds, numbers = False, f"raised {type(error).__name__}: {first}"
        judged = None if holds is None else bool(holds)  # numpy's False is not False
        return Finding(self.part, self.promise, judged, numbers, self.advice)


WORDS = {True: "pass", False: "FAIL", None: "-"}


def table(findings: Sequence[Finding]) -> str:
    """Write a row for each finding, and under a broken promise what to do.

    >>> print(table([Finding("loss", "leaves as (K,)", False, "(3, 4)", "reduce over the batch alone: .mean(1)")]))
          part  promise         numbers
    FAIL  loss  leaves as (K,)  (3, 4)
                -> reduce over the batch alone: .mean(1)
    """
    rows = [("", "part", "promise", "numbers")]
    rows += [(WORDS[one.holds], one.part, one.promise, one.numbers) for one in findings]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:3]
    lines = ["  ".join([*map(str.ljust, row, widths), row[3]]) for row in rows]
    indent = " " * (widths[0] + widths[1] + 4)
    for at in reversed(range(len(findings))):
        if findings[at].failed:
            lines.insert(at + 2, f"{indent}-> {findings[at].advice}")
    return "\n".join(line.rstrip() for line in lines)
