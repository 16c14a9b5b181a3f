"""More seeds only for the settings among which the first place is still open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gansweep.statistics.paired import Scores, compare


@dataclass(frozen=True)
class Race:
    """The rule by which seeds are added.

    After each round of seeds, from `fewest` on, a setting drops out if another one, still in, beats it in a paired
    one-sided test at

        level / ((m - 1) (most - fewest + 1))

    the level shared out over its m - 1 rivals and all rounds. Those that remain are given one seed more, until one is
    left or `most` seeds are reached. By Bonferroni the chance that the truly best setting drops out, at whatever
    moment one looks, is at most `level`; tests/statistics/test_racing.py counts it. Races of this kind: Maron and
    Moore 1994 (NIPS), Birattari et al. 2002 (GECCO, F-race), there without the correction for the looks.

    Args:
        fewest: seeds of every setting.
        most: seeds of the settings that are not told apart before.
        level: chance of dropping the best.
    """

    fewest: int = 3
    most: int = 10
    level: float = 0.05

    def __post_init__(self) -> None:
        if not 2 <= self.fewest <= self.most:
            raise ValueError(f"fewest={self.fewest}, most={self.most}: expected 2 <= fewest <= most")
        if not 0 < self.level < 1:
            raise ValueError(f"level={self.level}: expected a chance between 0 and 1")

    def share(self, num_settings: int) -> float:
        """Return the level of a single test."""
        return self.level / (max(num_settings - 1, 1) * (self.most - self.fewest + 1))

    def remaining(self, scores: Sequence[Scores]) -> list[int]:
        """Replay the race over the seeds that there are, and return who is still in.

        It is the same at every call, and what a setting that dropped out was given later changes nothing.

        Args:
            scores: of every setting by seed, in the order in which seeds were added; lower is better, NaN for a run
                without a value.
        """
        seeds = list(dict.fromkeys(seed for one in scores for seed in one))
        within, level = list(range(len(scores))), self.share(len(scores))
        for number in range(self.fewest, self.most + 1):
            have = seeds[:number]
            # A round counts when it is complete.
            if len(have) < number or any(seed not in scores[place] for place in within for seed in have):
                break
            now = {place: {seed: scores[place][seed] for seed in have} for place in within}
            within = [place for place in within if not self._beaten(now, place, level)]
        return within

    def wanted(self, scores: Sequence[Mapping[Any, float]], seeds: Sequence[Any]) -> list[tuple[int, Any]]:
        """List the runs to make next, as (place of the setting, seed); empty when the race is over.

        Args:
            scores: as in `remaining`, of the runs that are done.
            seeds: the first `most` seeds to use, in their order.
        """
        if len(seeds) < self.most:
            raise ValueError(f"seeds: {len(seeds)} are given, expected at least most={self.most}")
        for number in range(self.fewest, self.most + 1):
            upto = [{seed: one[seed] for seed in seeds[: number - 1] if seed in one} for one in scores]
            within = self.remaining(upto) if number > self.fewest else list(range(len(scores)))
            if number > self.fewest and len(within) == 1:
                return []
            missing = [(place, seed) for place in within for seed in seeds[:number] if seed not in scores[place]]
            if missing:
                return missing
        return []

    @staticmethod
    def _beaten(now: Mapping[int, Scores], place: int, level: float) -> bool:
        for rival in now:
            if rival != place:
                found = compare(now[rival], now[place])
                if found.test and found.sign < 0 and found.p / 2 <= level:
                    return True
        return False
