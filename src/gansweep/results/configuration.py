"""Configuration of a sweep: the runs that differ only in their seeds, with the selected value of each."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from gansweep.formatting import number, rounded
from gansweep.statistics.estimate import Estimate, estimate
from gansweep.statistics.improvement import no_better_than_untrained
from gansweep.sweep.cell import Result, State
from gansweep.sweep.identity import plain

FINAL = "final"  # the other one is "best"


@dataclass(frozen=True)
class Selected:
    """The selected value of a run.

    Args:
        value: NaN if the run has none.
        step: step of the evaluation; None without an evaluation.
        optimistic: whether the value is biased, as the best of several on the latents that it is reported on.
    """

    value: float
    step: int | None = None
    optimistic: bool = False


def select(metric: Mapping[str, Any], how: str) -> Selected:
    """Return the value after the last step (`final`) or the best of all evaluations (`best`).

    The best evaluation is chosen by its value. The reported value is the holdout value of the same generator on other
    latents (`best_apart`), where the record has it. Otherwise it is the best value, which is biased: the minimum of n
    noisy values lies about sd sqrt(2 log n) below the true value. A diverged run has no final value, but may have a
    best one from before.

    >>> select({"best": 1.0, "best_step": 10, "best_apart": 1.4, "final": 2.0}, "best")
    Selected(value=1.4, step=10, optimistic=False)
    """
    if how == FINAL:
        value = metric.get("final")
        return Selected(math.nan if value is None else float(value), metric.get("final_step"))
    value, holdout = metric.get("best"), metric.get("best_apart")
    if value is None:
        return Selected(math.nan)
    if holdout is not None:
        return Selected(float(holdout), metric.get("best_step"))
    several = sum(evaluation["step"] > 0 for evaluation in metric.get("evaluations", [])) > 1
    return Selected(float(value), metric.get("best_step"), several)


@dataclass(frozen=True)
class Configuration:
    """One configuration: a combination of all varied settings except the seed.

    Args:
        settings: by key, in canonical form.
        runs: results by the value of the repeated key, usually the seed.
        selected: the selected evaluation of each measured run; NaN is N/A.
        levels: seeds of every kind of each run, if several kinds of seeds were varied; else empty.
    """

    settings: Mapping[str, Any]
    runs: Mapping[str, Result]
    selected: Mapping[str, Selected]
    levels: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The settings as `key=value, ...`."""
        return (
            ", ".join(f"{key}={plain(setting)}" for key, setting in self.settings.items()) or "the only configuration"
        )

    @property
    def mark(self) -> str:
        """The short hash of the first cell, which identifies the configuration on a page."""
        return next(iter(self.runs.values())).cell.short_hash

    @cached_property
    def scores(self) -> dict[str, float]:
        """Value of every finished run by seed; NaN where the run has none."""
        return {seed: selected.value for seed, selected in self.selected.items()}

    @cached_property
    def estimate(self) -> Estimate:
        """Mean over the runs that have a value, with its 95 % interval."""
        levels = [self.levels[seed] for seed in self.scores] if self.levels else None
        return estimate(list(self.scores.values()), levels=levels)

    @cached_property
    def values(self) -> list[float]:
        """The values of the runs that have one."""
        return [value for value in self.scores.values() if math.isfinite(value)]

    @property
    def spread(self) -> str:
        """Mean ± standard deviation (number of values) as text; (n of all) if some runs have no value."""
        return spread(self.values, len(self.runs))

    @cached_property
    def untrained(self) -> list[float]:
        """Values of the runs before the first step."""
        return [run.untrained for run in self.runs.values() if run.untrained is not None]

    @cached_property
    def is_no_better_than_untrained(self) -> bool:
        """Whether the mean value is at most 1 % better than the mean of the same runs before the first step."""
        lower = all(run.lower_is_better for run in self.runs.values())
        pairs = [(selected.value, self.runs[seed].untrained) for seed, selected in self.selected.items()]
        return no_better_than_untrained(pairs, lower)

    def count(self, *states: State) -> int:
        """Return the number of runs in one of these states."""
        return sum(result.state in states for result in self.runs.values())

    @property
    def num_failed(self) -> int:
        """Number of runs that raised an error. They count neither as values nor as N/A."""
        return self.count(State.FAILED)

    @property
    def num_diverged(self) -> int:
        """Number of runs that diverged, whether or not they have a value from before."""
        return self.count(State.DIVERGED)

    @property
    def num_missing(self) -> int:
        """Number of runs that have not finished."""
        return self.count(State.NEW, State.RESUMABLE, State.CLAIMED)


def spread(values: Sequence[float], num_runs: int) -> str:
    """Return mean ± standard deviation (n) as text, with (n of all) if some runs have no value."""
    mean, sd = statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None
    text = number(mean) if sd is None else " ± ".join(rounded([mean, sd], mean, sd))
    return f"{text} ({len(values)}{f' of {num_runs}' if len(values) < num_runs else ''})"
