"""Statements of papers, their tests by runs, and the verdict: survives, does not survive, or undecided."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from pathlib import Path

from gansweep.papers.parts import LEVEL, SEEDS, Part
from gansweep.statistics.holm import holm

Row = Mapping[str, str]  # a run by column of results.csv; empty for a missing value
FINISHED = ("completed", "diverged")


class Verdict(Enum):
    """Verdict on a statement or on one of its parts."""

    SURVIVES = "survives"
    FAILS = "does not survive"
    OPEN = "can't tell yet"


OF_PARTS = {Verdict.SURVIVES: "as stated", Verdict.FAILS: "the opposite", Verdict.OPEN: "undecided"}


@dataclass(frozen=True)
class Statement:
    """A statement of a paper, and the test of it.

    Args:
        name: short name in file names, such as `epfl_sgd`.
        paper: section of docs/papers.md: epfl, coopnets, mescheder, forsyth or cfg.
        claim: the statement in one sentence.
        printed: the number of runs in print, or what takes their place.
        source: table, section or page.
        experiment: name of the experiment in conf/experiment, without the method.
        records: results.csv files of the runs that test it, below docs/records.
        test: returns the parts of the statement from the runs of a file; all of them are true if the statement is.
        axis: what the estimates of the parts are, with the unit.
        tell: command line that would decide it, without the seeds.
        steps: length of the printed runs in steps; None if it is not stated.
        at_full_length: whether shorter runs say nothing about it.
    """

    name: str
    paper: str
    claim: str
    printed: str
    source: str
    experiment: str
    records: tuple[str, ...]
    test: Callable[[Sequence[Row]], list[Part]]
    axis: str
    tell: str
    steps: int | None = None
    at_full_length: bool = False

    def outcome(self, *tables: Sequence[Row]) -> Outcome:
        """Return the outcome of the test by the runs of one or more sweeps."""
        return Outcome(self, [part for rows in tables for part in self.test(self.runs(rows))])

    def runs(self, rows: Sequence[Row]) -> list[Row]:
        """Return the runs of this experiment that completed or diverged."""
        return [
            row
            for row in rows
            if row.get("experiment", "").partition("/")[0] == self.experiment and row["state"] in FINISHED
        ]


@dataclass(frozen=True)
class Outcome:
    """Outcome of the test of a statement."""

    statement: Statement
    parts: Sequence[Part]

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """The verdict of each part.

        A part survives if its p-value is at most 0.05. It does not survive if the p-value of the opposite is at most
        0.05 after Holm's correction over all parts.
        """
        against = holm([part.p_against for part in self.parts]) if self.parts else []
        return [
            Verdict.SURVIVES if part.p_for <= LEVEL else Verdict.FAILS if p <= LEVEL else Verdict.OPEN
            for part, p in zip(self.parts, against, strict=True)
        ]

    @property
    def verdict(self) -> Verdict:
        """The verdict on the statement.

        It survives if all parts survive: the test of a union of null hypotheses (Berger 1982,
        doi:10.1080/00401706.1982.10487790) has its level without a correction. It does not survive if a part does not.
        A statement about the full length is undecided by shorter runs, whatever the parts are at their length.
        """
        if self._too_short:
            return Verdict.OPEN
        if Verdict.FAILS in self.verdicts:
            return Verdict.FAILS
        return Verdict.SURVIVES if set(self.verdicts) == {Verdict.SURVIVES} else Verdict.OPEN

    @property
    def length(self) -> str:
        """The length of the longest runs as a share of the printed length; empty if they are equal or unknown."""
        share = self.steps / (self.statement.steps or math.inf)
        return f"{100 * share:.2g} % of the printed length" if 0 < share < 1 else ""

    @property
    def tally(self) -> str:
        """The estimate of a single part with its interval, or the number of parts by verdict."""
        if not self.parts:
            return "no runs yet"
        runs = sorted({part.runs for part in self.parts})
        counted = f"{runs[0]}{f' to {runs[-1]}' if len(runs) > 1 else ''} {self.parts[0].counted}"
        counted = counted.removesuffix("s") if runs == [1] else counted
        if len(self.parts) == 1:
            part = self.parts[0]
            interval = "" if math.isnan(part.low) else f" [{part.low:.3g}, {part.high:.3g}]"
            return f"{part.label}: {part.estimate:.3g}{interval}, {counted}"
        found = [f"{self.verdicts.count(v)} {name}" for v, name in OF_PARTS.items() if v in self.verdicts]
        return f"{len(self.parts)} comparisons, {', '.join(found)}; {counted}"

    @property
    def needs(self) -> str:
        """What would decide the statement; empty if it is decided."""
        if self.verdict is not Verdict.OPEN:
            return ""
        if self._too_short:
            return f"{self.statement.steps:,} steps, on a GPU"
        if not self.parts:
            return "runs"
        if any(part.needs for part in self._undecided):
            return next(part.needs for part in self._undecided if part.needs)
        more = self._more_seeds
        return "longer runs; at this length the difference is too small" if more is None else f"about {more} more seeds"

    @property
    def command(self) -> str:
        """The command line of the runs that would decide it."""
        seeds = [part.runs for part in self._undecided if part.counted == SEEDS and not part.needs]
        if self._too_short or not seeds or self._more_seeds is None:
            return self.statement.tell
        return f"{self.statement.tell} 'seed=range({max(seeds)},{max(seeds) + self._more_seeds})'"

    def line(self) -> str:
        """Return verdict, length, tally, and what would decide it, as one line of Markdown."""
        words = f"**{self.verdict.value}**{f', at {self.length}' if self.length else ''} ({self.tally})."
        return f"{words} What would decide it: {self.needs}, `{self.command}`." if self.needs else words

    @property
    def steps(self) -> int:
        """Steps of the longest runs."""
        return max((part.steps for part in self.parts), default=0)

    @property
    def _undecided(self) -> list[Part]:
        return [part for part, verdict in zip(self.parts, self.verdicts, strict=True) if verdict is Verdict.OPEN]

    @property
    def _more_seeds(self) -> int | None:
        seeds = [part.more_seeds for part in self._undecided]
        return None if None in seeds else max((number for number in seeds if number is not None), default=None)

    @property
    def _too_short(self) -> bool:
        return self.statement.at_full_length and self.steps < (self.statement.steps or 0)


def read_csv(text: str) -> list[Row]:
    """Return the runs of a results.csv."""
    return list(csv.DictReader(io.StringIO(text)))


def committed(statement: Statement, records: Path) -> Outcome:
    """Return the outcome by the runs in docs/records."""
    return statement.outcome(*(read_csv((records / name).read_text()) for name in statement.records))
