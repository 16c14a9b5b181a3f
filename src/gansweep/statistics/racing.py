"""Racing: add seeds only for configurations that may still be the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gansweep.statistics.paired import Scores, compare


@dataclass(frozen=True)
class Race:
    """Racing by paired one-sided tests with a Bonferroni correction.

    After each round of seeds, starting with `fewest`, a configuration is eliminated if another remaining one is better
    in a paired one-sided test at level

        level / ((m - 1) (most - fewest + 1))

    This divides the level over the m - 1 rivals and all rounds. Each remaining configuration gets one more seed, until
    one is left or `most` seeds are reached. By Bonferroni's inequality the probability that the best configuration has
    been eliminated is at most `level` at any time (measured in tests/statistics/test_racing.py). Similar races are in
    Maron and Moore 1994 (NIPS) and Birattari et al. 2002 (GECCO, F-race), without the correction for repeated looks.

    Args:
        fewest: number of seeds of every configuration.
        most: maximum number of seeds of a configuration.
        level: maximum probability of eliminating the best configuration.
    """

    fewest: int = 3
    most: int = 10
    level: float = 0.05

    def __post_init__(self) -> None:
        if not 2 <= self.fewest <= self.most:
            raise ValueError(f"fewest={self.fewest}, most={self.most}: expected 2 <= fewest <= most")
        if not 0 < self.level < 1:
            raise ValueError(f"level={self.level}: expected a probability between 0 and 1")

    def share(self, num_settings: int) -> float:
        """Return the significance level of a single test."""
        return self.level / (max(num_settings - 1, 1) * (self.most - self.fewest + 1))

    def remaining(self, scores: Sequence[Scores]) -> list[int]:
        """Replay the race over the available seeds and return the indices of the remaining configurations.

        The result is deterministic. Runs of a configuration after its elimination have no effect.

        Args:
            scores: scores of every configuration by seed, in the order in which seeds were added; lower is better, NaN
                for a run without a value.
        """
        seeds = list(dict.fromkeys(seed for by_seed in scores for seed in by_seed))
        within, level = list(range(len(scores))), self.share(len(scores))
        for number in range(self.fewest, self.most + 1):
            have = seeds[:number]
            # Only complete rounds are evaluated.
            if len(have) < number or any(seed not in scores[place] for place in within for seed in have):
                break
            now = {place: {seed: scores[place][seed] for seed in have} for place in within}
            within = [place for place in within if not self._beaten(now, place, level)]
        return within

    def wanted(self, scores: Sequence[Mapping[Any, float]], seeds: Sequence[Any]) -> list[tuple[int, Any]]:
        """Return the runs to make next as (index of the configuration, seed); empty when the race is over.

        Args:
            scores: scores of the finished runs, as in `remaining`.
            seeds: seeds to use, in order; at least `most`.
        """
        if len(seeds) < self.most:
            raise ValueError(f"seeds: {len(seeds)} are given, expected at least most={self.most}")
        for number in range(self.fewest, self.most + 1):
            upto = [{seed: by_seed[seed] for seed in seeds[: number - 1] if seed in by_seed} for by_seed in scores]
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
                comparison = compare(now[rival], now[place])
                if comparison.test and comparison.sign < 0 and comparison.p / 2 <= level:
                    return True
        return False
