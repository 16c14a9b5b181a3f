"""seeds=auto: racing over configurations, which adds seeds only where the best one is undecided."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gansweep.statistics.improvement import no_better_than_untrained
from gansweep.statistics.racing import Race
from gansweep.sweep.cell import Result
from gansweep.sweep.metric_groups import comparable

LEVEL = 0.05
Runs = Mapping[int, Result]  # runs of one configuration, by seed


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
            parts.append(f"{what}, {decided} left{self._no_better(remaining, settings, places)}")
        if not parts:
            return ""
        return (
            f"seeds=auto: {self.fewest} seeds of every setting, then one more at a time, up to {len(self.seeds)}, of "
            f"those that may still be first: {'; '.join(parts)}. The probability that the best is not among those left "
            f"is at most {self.level:.0%}{' in each table' if len(parts) > 1 else ''}."
        )

    @staticmethod
    def _no_better(remaining: Sequence[int], settings: Sequence[Runs], places: Sequence[int]) -> str:
        """Return a text with the number of remaining configurations no better than untrained, "" if there are none.

        The racing rule does not eliminate these.
        """
        count = 0
        for index in remaining:
            runs = settings[places[index]].values()
            lower = all(run.lower_is_better for run in runs)
            count += no_better_than_untrained([(run.final, run.untrained) for run in runs], lower)
        return f", {count} of them no better than the untrained generator" if count else ""

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
