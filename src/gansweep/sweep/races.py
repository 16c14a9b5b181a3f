"""Races of configurations: seeds=auto adds seeds where the best is undecided, race=steps drops runs."""

from __future__ import annotations

import json
import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gansweep.statistics.improvement import no_better_than_untrained
from gansweep.statistics.racing import Race
from gansweep.statistics.step_race import LEVEL, Curve, Stage, StepRace, coverage
from gansweep.sweep.cell import Cell, Result, State
from gansweep.sweep.identity import canonical, plain
from gansweep.sweep.metric_groups import comparable
from gansweep.sweep.sweep_keys import SEED

Runs = Mapping[int, Result]  # runs of one configuration, by seed
SAME_TABLE = ("metric", "data", "steps")  # configurations are compared if these settings are equal
MAX_NAMED = 5


def _no_better(remaining: Iterable[Runs]) -> str:
    """Return a text with the number of remaining configurations no better than untrained, "" if there are none.

    The rules of the races do not eliminate these.
    """
    count = 0
    for by_seed in remaining:
        runs = by_seed.values()
        lower = all(run.lower_is_better for run in runs)
        count += no_better_than_untrained([(run.final, run.untrained) for run in runs], lower)
    return f", {count} of them no better than the untrained generator" if count else ""


@dataclass(frozen=True)
class SeedRace:
    """Race between the configurations of a sweep; see `gansweep.statistics.racing` for the rule and its error rate.

    Configurations with different metric fingerprints are in different tables and have separate races. A run without a
    final value loses to any run with one. A configuration with a failed run is removed from the race.

    Args:
        seeds: seeds in the order in which they are added.
        fewest: number of seeds that every configuration gets.
        level: maximum probability, for each table, of eliminating the best configuration.
    """

    seeds: tuple[int, ...]
    fewest: int
    level: float = LEVEL

    @classmethod
    def beginning_with(cls, typed: Iterable[int], most: int) -> SeedRace:
        """Return a race that starts with the given seeds, at least two, and continues with the following integers.

        >>> SeedRace.beginning_with([0], 4)
        SeedRace(seeds=(0, 1, 2, 3), fewest=2, level=0.05)

        Raises:
            ValueError: `most` is less than two or than the number of given seeds.
        """
        first = list(dict.fromkeys(typed))
        fewest = max(2, len(first))
        if most < fewest:
            raise ValueError(f"most_seeds={most}: expected at least {fewest}, the number of seeds to begin with")
        after = max(first) + 1
        return cls((*first, *range(after, after + most - len(first))), fewest)

    @property
    def race(self) -> Race:
        """The racing rule."""
        return Race(self.fewest, len(self.seeds), self.level)

    def wanted(self, settings: Sequence[Runs]) -> list[tuple[int, int]]:
        """Return the runs to make next as (index of the configuration, seed); empty when the race is decided."""
        first = self.seeds[: self.fewest]
        missing = [(place, seed) for place, runs in enumerate(settings) for seed in first if seed not in runs]
        if missing:
            return missing
        runs_to_make = []
        for places in self._tables(settings):
            scores: list[dict[Hashable, float]] = [{**self._scores(settings[place])} for place in places]
            runs_to_make += [(places[index], seed) for index, seed in self.race.wanted([*scores], self.seeds)]
        return sorted((place, int(str(seed))) for place, seed in runs_to_make)

    def summary(self, settings: Sequence[Runs]) -> str:
        """Return a summary of the race, "" before all configurations have their initial seeds."""
        parts = []
        for places in self._tables(settings):
            scores = [self._scores(settings[place]) for place in places]
            if any(seed not in by_seed for by_seed in scores for seed in self.seeds[: self.fewest]):
                continue
            remaining = self.race.remaining(scores)
            left, more = len(remaining), sum(len(by_seed) - self.fewest for by_seed in scores)
            what = f"{more} run{'s' if more != 1 else ''} more" if more else "no more were made"
            decided = "decided, one setting" if left == 1 else f"{left} of {len(places)} settings"
            parts.append(f"{what}, {decided} left{_no_better(settings[places[index]] for index in remaining)}")
        if not parts:
            return ""
        return (
            f"seeds=auto: {self.fewest} seeds of every setting, then one more at a time, up to {len(self.seeds)}, of "
            f"those that may still be first: {'; '.join(parts)}. The probability that the best is not among those left "
            f"is at most {self.level:.0%}{' in each table' if len(parts) > 1 else ''}."
        )

    def _tables(self, settings: Sequence[Runs]) -> list[list[int]]:
        """Group the indices of the racing configurations by metric fingerprint."""
        racing = [
            place for place, runs in enumerate(settings) if runs and all(r.state.is_result for r in runs.values())
        ]
        groups = comparable([result for place in racing for result in settings[place].values()])
        table = {id(result): number for number, group in enumerate(groups) for result in group}
        tables: dict[int, list[int]] = {}
        for place in racing:
            result = next((r for r in settings[place].values() if r.metric), next(iter(settings[place].values())))
            tables.setdefault(table[id(result)], []).append(place)
        return list(tables.values())

    def _scores(self, runs: Runs) -> dict[int, float]:
        """Return final values by seed in the order of the seeds, negated if higher is better."""
        scores = {}
        for seed in (seed for seed in self.seeds if seed in runs):
            final, sign = runs[seed].final, 1 if runs[seed].metric.get("lower_is_better", True) else -1
            scores[seed] = math.nan if final is None else sign * final
        return scores


@dataclass(frozen=True)
class Group:
    """Configurations whose evaluations are comparable: their indices, in the order of the race."""

    places: tuple[int, ...]
    order: tuple[int, ...]  # indices in `places`


@dataclass(frozen=True)
class StepRaceOfSweep:
    """Race between the configurations of a sweep; see `gansweep.statistics.step_race` for the rule.

    Scores are logarithms of the metric's values, or the values if one of them is not above 0; negated if higher is
    better. Configurations that differ in metric, data or steps have separate races.

    Args:
        race: the rule.
        names: of the configurations.
        steps: length of each configuration's runs.
        groups: comparable configurations.
    """

    race: StepRace
    names: tuple[str, ...]
    steps: tuple[int, ...]
    groups: tuple[Group, ...]

    @classmethod
    def of(cls, cells: Sequence[Cell], seeds: Sequence[int]) -> StepRaceOfSweep:
        """Return the race of configurations, each given by the cell of one seed.

        Raises:
            ValueError: there are fewer than two seeds.
        """
        settings = [{key: plain(value) for key, value in c.overrides.items() if key != SEED} for c in cells]
        keys = dict.fromkeys(key for setting in settings for key in setting)
        varied = [key for key in keys if len({setting.get(key) for setting in settings}) > 1]
        names = [", ".join(f"{key}={setting.get(key)}" for key in varied) or "the only one" for setting in settings]
        by_table: dict[str, list[int]] = {}
        for place, cell in enumerate(cells):
            table = canonical([cell.config.get(key) for key in SAME_TABLE])
            by_table.setdefault(json.dumps(table, sort_keys=True), []).append(place)
        groups = [
            Group(tuple(places), tuple(coverage([[settings[place].get(key) for key in varied] for place in places])))
            for places in by_table.values()
        ]
        steps = tuple(int(cell.config["steps"]) for cell in cells)
        return cls(StepRace(tuple(seeds)), tuple(names), steps, tuple(groups))

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds in the order in which they are added."""
        return self.race.seeds

    @property
    def fewest(self) -> int:
        """Number of seeds that every configuration gets."""
        return 1

    def wanted(self, settings: Sequence[Runs]) -> list[tuple[int, int]]:
        """Return the runs to make next as (index of the configuration, seed); empty when the race is over."""
        stages = [self._stage(group, settings) for group in self.groups]
        return [
            (group.places[index], seed)
            for group, stage in zip(self.groups, stages, strict=True)
            for index, seed in stage.wanted
        ]

    def limits(self, settings: Sequence[Runs]) -> dict[tuple[int, int], dict[int, float]]:
        """Return for the wanted runs the values of the metric by step, at which they are dropped if they are worse."""
        limits = {}
        for group in self.groups:
            scale = _Scale.of([settings[place] for place in group.places])
            for (index, seed), scores in self._stage(group, settings).limits.items():
                limits[group.places[index], seed] = {step: scale.value(score) for step, score in scores.items()}
        return limits

    def summary(self, settings: Sequence[Runs]) -> str:
        """Return a summary of the race, "" before any run has ended."""
        runs = [run for by_seed in settings for run in by_seed.values()]
        if not runs:
            return ""
        remaining = [group.places[i] for group in self.groups for i in self._stage(group, settings).remaining]
        trained = sum(int((run.record or {}).get("steps") or 0) for run in runs)
        share = trained / (len(self.seeds) * sum(self.steps))
        dropped = sum(run.state is State.DROPPED for run in runs)
        names = "; ".join(self.names[place] for place in sorted(remaining))
        first = f"{len(remaining)} of {len(self.names)} configurations can still be the best"
        first += f" ({names})" if len(remaining) <= MAX_NAMED else ""
        return (
            f"race=steps: {first}{_no_better(settings[place] for place in remaining)}, {dropped} "
            f"{'run was' if dropped == 1 else 'runs were'} dropped during training; {share:.0%} of the steps of all "
            f"configurations with {len(self.seeds)} seeds were trained. The nominal probability that the best "
            f"configuration was dropped is at most {self.race.level:.0%}"
            f"{' in each table' if len(self.groups) > 1 else ''}. The same command without race finishes all runs."
        )

    def _stage(self, group: Group, settings: Sequence[Runs]) -> Stage:
        runs = [settings[place] for place in group.places]
        scale = _Scale.of(runs)
        curves = [{seed: _curve(run, scale) for seed, run in by_seed.items()} for by_seed in runs]
        return self.race.stage(curves, group.order)


@dataclass(frozen=True)
class _Scale:
    """Scores of metric values: sign * value, or sign * log(value)."""

    sign: int
    is_log: bool

    @classmethod
    def of(cls, settings: Sequence[Runs]) -> _Scale:
        runs = [run for by_seed in settings for run in by_seed.values()]
        lower = all(run.lower_is_better for run in runs)
        values = [value for run in runs for value in run.values().values() if math.isfinite(value)]
        return cls(1 if lower else -1, all(value > 0 for value in values))

    def score(self, value: float) -> float:
        return self.sign * (math.log(value) if self.is_log else value)

    def value(self, score: float) -> float:
        value = self.sign * score
        return math.exp(min(value, 700.0)) if self.is_log else value


def _curve(run: Result, scale: _Scale) -> Curve:
    values = {step: value for step, value in run.values().items() if math.isfinite(value)}
    if run.state is State.COMPLETED and run.final is not None:
        values |= {int(run.metric["final_step"]): run.final}
    scores = {step: scale.score(value) for step, value in values.items()}
    if run.state in (State.DROPPED, State.FAILED):
        return Curve(scores, "out")
    return Curve(scores, "complete" if run.state is State.COMPLETED and run.final is not None else "diverged")
