"""seeds=auto: more seeds only for the settings that may still come first in their table."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gansweep.statistics.improvement import no_better_than_untrained
from gansweep.statistics.racing import Race
from gansweep.sweep.metric_groups import comparable
from gansweep.sweep.result import Result

LEVEL = 0.05
Runs = Mapping[int, Result]  # of one setting, by seed


@dataclass(frozen=True)
class SeedRace:
    """The race of a sweep's settings; see `gansweep.statistics.racing` for the rule and its error rate.

    What was measured differently is in different tables and races apart. A run without a final value loses to any
    that has one. A setting of which a run raised an error leaves the race: nothing can be said about it.

    Args:
        seeds: in the order in which settings are given them.
        fewest: how many of them every setting is given.
        level: chance, in each table, that the best setting is not among those that remain.
    """

    seeds: tuple[int, ...]
    fewest: int
    level: float = LEVEL

    @classmethod
    def beginning_with(cls, typed: Iterable[int], most: int) -> SeedRace:
        """Set up a race for the seeds that were asked for, at least two, and the numbers after them.

        >>> SeedRace.beginning_with([0], 4)
        SeedRace(seeds=(0, 1, 2, 3), fewest=2, level=0.05)

        Raises:
            ValueError: `most` are fewer than two, or than were asked for.
        """
        first = list(dict.fromkeys(typed))
        fewest = max(2, len(first))
        if most < fewest:
            raise ValueError(f"most_seeds={most}: expected at least {fewest}, the number of seeds to begin with")
        after = max(first) + 1
        return cls((*first, *range(after, after + most - len(first))), fewest)

    @property
    def race(self) -> Race:
        """The rule."""
        return Race(self.fewest, len(self.seeds), self.level)

    def wanted(self, settings: Sequence[Runs]) -> list[tuple[int, int]]:
        """List the runs to make next, as (place of the setting, seed); empty when nothing is left to decide.

        Args:
            settings: the runs of each that have come to an end, or failed.
        """
        first = self.seeds[: self.fewest]
        missing = [(place, seed) for place, runs in enumerate(settings) for seed in first if seed not in runs]
        if missing:
            return missing
        found = []
        for places in self._tables(settings):
            scores: list[dict[Hashable, float]] = [{**self._scores(settings[place])} for place in places]
            found += [(places[at], seed) for at, seed in self.race.wanted([*scores], self.seeds)]
        return sorted((place, int(str(seed))) for place, seed in found)

    def told(self, settings: Sequence[Runs]) -> str:
        """Say how the race stands, or nothing before all settings have their first seeds."""
        said = []
        for places in self._tables(settings):
            scores = [self._scores(settings[place]) for place in places]
            if any(seed not in one for one in scores for seed in self.seeds[: self.fewest]):
                continue
            remaining = self.race.remaining(scores)
            left, more = len(remaining), sum(len(one) - self.fewest for one in scores)
            what = f"{more} run{'s' if more != 1 else ''} more" if more else "no more were made"
            decided = "decided, one setting" if left == 1 else f"{left} of {len(places)} settings"
            said.append(f"{what}, {decided} left{self._no_better(remaining, settings, places)}")
        if not said:
            return ""
        return (
            f"seeds=auto: {self.fewest} seeds of every setting, then one more at a time, up to {len(self.seeds)}, of "
            f"those that may still be first: {'; '.join(said)}. The chance that the best is not among those left is "
            f"at most {self.level:.0%}{' in each table' if len(said) > 1 else ''}."
        )

    @staticmethod
    def _no_better(remaining: Sequence[int], settings: Sequence[Runs], places: Sequence[int]) -> str:
        """State how many of the remaining settings are no better than untrained; the rule does not drop them."""
        count = 0
        for at in remaining:
            runs = settings[places[at]].values()
            lower = all(run.lower_is_better for run in runs)
            count += no_better_than_untrained([(run.final, run.untrained) for run in runs], lower)
        return f", {count} of them no better than the untrained generator" if count else ""

    def _tables(self, settings: Sequence[Runs]) -> list[list[int]]:
        """Divide the places of the settings that race by what they were measured with."""
        racing = [
            place for place, runs in enumerate(settings) if runs and all(r.state.is_result for r in runs.values())
        ]
        groups = comparable([result for place in racing for result in settings[place].values()])
        table = {id(result): number for number, group in enumerate(groups) for result in group}
        tables: dict[int, list[int]] = {}
        for place in racing:
            one = next((r for r in settings[place].values() if r.metric), next(iter(settings[place].values())))
            tables.setdefault(table[id(one)], []).append(place)
        return list(tables.values())

    def _scores(self, runs: Runs) -> dict[int, float]:
        """Return final values by seed in the order of the seeds, turned so that lower is better."""
        scores = {}
        for seed in (seed for seed in self.seeds if seed in runs):
            final, sign = runs[seed].final, 1 if runs[seed].metric.get("lower_is_better", True) else -1
            scores[seed] = math.nan if final is None else sign * final
        return scores
