"""Outcome of an entry on some of the judging seeds, and the text that `gansweep track try` prints."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gansweep.formatting import metric_label, number
from gansweep.sweep.cell import Result
from gansweep.track.board import FOLDER
from gansweep.track.entry import Entry
from gansweep.track.rule import Times, improvement_p, is_record, score
from gansweep.track.track import Track
from gansweep.track.training import seconds_to_target, steps_to_target


@dataclass(frozen=True)
class Outcome:
    """Judging runs of an entry, finished ones, by seed."""

    track: Track
    results: Mapping[int, Result]

    @property
    def times(self) -> Times:
        """Generator steps to the target by seed."""
        return {seed: steps_to_target(self.track, result) for seed, result in self.results.items()}

    @property
    def score(self) -> float:
        """See `rule.score`."""
        return score(list(self.times.values()), self.track.confidence)

    @property
    def median(self) -> float:
        """Median of the steps to the target; infinity if at least half of the seeds do not reach it."""
        ordered = sorted(self.times.values())
        return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2

    @property
    def median_seconds(self) -> float:
        """Median training time to the target, of the seeds that reach it; NaN if none does."""
        reached = [seconds_to_target(self.track, self.results[seed]) for seed in self.reached]
        return float(np.median(reached)) if reached else math.nan

    @property
    def reached(self) -> list[int]:
        """Seeds that reach the target."""
        return [seed for seed, time in self.times.items() if math.isfinite(time)]

    @property
    def diverged(self) -> list[int]:
        """Seeds that diverge; they count as not reaching the target, also if they were there before."""
        return [seed for seed, result in self.results.items() if result.diverged_at is not None]

    @property
    def is_complete(self) -> bool:
        """Whether all judging seeds are trained."""
        return set(self.results) == set(self.track.judging_seeds)

    def lines(self, record: Entry | None) -> Iterator[str]:
        """Yield the score with its meaning, the seeds, the time, and the comparison with the record."""
        track, num = self.track, len(self.results)
        label = metric_label(str(next(iter(self.results.values())).metric.get("name") or "the metric"))
        yield f"score    {_steps(self.score)}: {self._meaning(f'{label} <= {track.target:g}')}"
        yield f"median   {_steps(self.median)}"
        yield f"reached  {len(self.reached)} of {num} seeds"
        if missed := [seed for seed in self.results if seed not in self.reached]:
            yield f"missed   seed {_listed(missed)}"
        if self.diverged:
            steps = ", ".join(f"{seed} at step {self.results[seed].diverged_at}" for seed in self.diverged)
            yield f"diverged seed {steps}"
        if self.reached:
            packs = {int((self.results[seed].record or {}).get("pack", {}).get("members", 1)) for seed in self.reached}
            shared = "" if packs == {1} else f", in packs of {_listed(sorted(packs))} runs"
            yield f"time     {number(self.median_seconds)} s to the target (median{shared}); not part of the score"
        yield f"record   {self.verdict(record)}"

    def verdict(self, record: Entry | None) -> str:
        """Return whether the entry is a record, with the test against the current one."""
        track, rule = self.track, {"level": self.track.level, "confidence": self.track.confidence}
        if not self.is_complete:
            return f"undecided: a record needs all {track.num_seeds} seeds"
        is_new = is_record(self.times, record and record.times, seeds=track.judging_seeds, **rule)
        if record is None:
            return f"yes: there is no other in {FOLDER / track.name}" if is_new else "no: the score is not finite"
        current = f"{record.name}, {_steps(record.score)}"
        p = improvement_p(self.times, record.times)
        why = f"p = {p:.2g}, level {track.level:g}"
        if is_new:
            return f"yes: faster than {current} ({why})"
        if p > track.level:
            is_tied = improvement_p(record.times, self.times) > track.level
            return f"no: not faster than {current} ({why}){', but tied with it' if is_tied else ''}"
        return f"no: the score is not lower than that of {current} ({why})"

    def _meaning(self, target: str) -> str:
        confidence = f"{100 * self.track.confidence:g} %"
        if math.isfinite(self.score):
            return (
                f"with {confidence} confidence, at least half of all trainings reach {target} within this number of "
                "generator steps"
            )
        return f"too few seeds reach {target} for a statement with {confidence} confidence"


def _steps(steps: float) -> str:
    return f"{steps:g} steps" if math.isfinite(steps) else "not reached"


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
