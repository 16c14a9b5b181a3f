"""Ranking and significance tests of the configurations of a sweep."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gansweep.results.configuration import Configuration
from gansweep.results.leaderboard import Leaderboard
from gansweep.statistics.crossed_seeds import factors, fewest
from gansweep.statistics.paired import Comparison, compare_all
from gansweep.statistics.ranking import order, rank_probabilities

LEVEL = 0.05
MAX_FOR_ALL_PAIRS = 40
FEWEST_FOR_P_FIRST = 5  # resamples of fewer seeds vary too little: of two seeds, half repeat one of them
MAX_TO_RANK_AGAIN = 400  # resampling the ranks of more would take seconds


@dataclass(frozen=True)
class Margin:
    """Largest difference of two means that does not matter.

    Args:
        amount: in units of the metric, or the share of the best mean.
        is_share: whether `amount` is a share.
    """

    amount: float
    is_share: bool

    @classmethod
    def parse(cls, text: str) -> Margin:
        """Return the margin of a text such as `2%` or `0.5`.

        Raises:
            ValueError: the text is not a number above 0.
        """
        is_share = text.endswith("%")
        try:
            amount = float(text.removesuffix("%"))
        except ValueError:
            amount = math.nan
        if not 0 < amount < math.inf:
            raise ValueError(f"--margin {text}: expected a number above 0, in units of the metric or in percent as 2%")
        return cls(amount / 100 if is_share else amount, is_share)

    def __str__(self) -> str:
        """Return the margin as it is typed."""
        return f"{100 * self.amount:g}%" if self.is_share else f"{self.amount:g}"


@dataclass(frozen=True)
class Verdict:
    """Ranking of the configurations of one leaderboard, with paired tests over the seeds.

    Args:
        leaderboard: the configurations.
        margin: configurations whose means differ by less are equivalent; None for no test of equivalence.
    """

    leaderboard: Leaderboard
    margin: Margin | None = None

    @cached_property
    def scores(self) -> list[dict[str, float]]:
        """Values of every configuration by seed, negated where higher is better, so that lower is better."""
        sign = self.leaderboard.sign
        return [{seed: sign * value for seed, value in one.scores.items()} for one in self.leaderboard.configurations]

    @cached_property
    def no_better(self) -> frozenset[int]:
        """Indices of the configurations no better than their untrained generators; none of them can be first."""
        return frozenset(
            place for place, one in enumerate(self.leaderboard.configurations) if one.is_no_better_than_untrained
        )

    @cached_property
    def order(self) -> list[int]:
        """Indices of the configurations with at least one finished run, sorted from best to worst.

        Candidates that improved on the untrained generator come first, then those that did not, then those without
        any value.
        """
        ended = [place for place, by_seed in enumerate(self.scores) if by_seed]
        ranked = [ended[place] for place in order(_matrix([self.scores[place] for place in ended]))] if ended else []
        return sorted(
            ranked, key=lambda place: (not self.leaderboard.configurations[place].estimate.n, place in self.no_better)
        )

    @property
    def places(self) -> list[int]:
        """Indices of all configurations: the ranked ones in order, then the others."""
        return [*self.order, *(place for place in range(len(self.scores)) if place not in self.order)]

    @property
    def first(self) -> Configuration | None:
        """The best configuration, or None if no configuration has a value better than untrained."""
        best = (
            self.leaderboard.configurations[self.order[0]]
            if self.order and self.order[0] not in self.no_better
            else None
        )
        return best if best is not None and best.estimate.n else None

    @cached_property
    def _ranked(self) -> list[int]:
        """`order` without the configurations that are no better than untrained."""
        return [place for place in self.order if place not in self.no_better]

    @cached_property
    def common(self) -> list[str]:
        """Seeds shared by all configurations that are better than untrained."""
        ended = [self.scores[place] for place in self._ranked]
        return [seed for seed in ended[0] if all(seed in by_seed for by_seed in ended)] if ended else []

    @cached_property
    def _crossed(self) -> np.ndarray:
        """Factors of crossed seeds of the common runs, (runs, factors); no column if the runs are independent."""
        levels = self.leaderboard.seed_levels
        return factors([levels[seed] for seed in self.common]) if levels else np.empty((len(self.common), 0), int)

    @cached_property
    def p_first(self) -> dict[int, float]:
        """Bootstrap probability over the common seeds of each configuration to rank first.

        Empty with fewer than `FEWEST_FOR_P_FIRST` common seeds, fewer than 2 configurations, or more than
        `MAX_TO_RANK_AGAIN`. Of crossed seeds, those of the kind with the fewest are counted.
        """
        if fewest(self._crossed) < FEWEST_FOR_P_FIRST or not 1 < len(self._ranked) <= MAX_TO_RANK_AGAIN:
            return {}
        values = np.array([[self.scores[place][seed] for seed in self.common] for place in self._ranked])
        probabilities = rank_probabilities(values, crossed=self._crossed)[:, 0]
        return {place: float(p) for place, p in zip(self._ranked, probabilities, strict=True)}

    @property
    def lacks_seeds_for_p_first(self) -> bool:
        """Whether `p_first` is empty because there are too few common seeds."""
        return len(self._ranked) > 1 and fewest(self._crossed) < FEWEST_FOR_P_FIRST

    @cached_property
    def comparisons(self) -> dict[tuple[int, int], Comparison]:
        """Paired comparisons by (better ranked index, worse ranked index).

        With more than `MAX_FOR_ALL_PAIRS` configurations, only pairs with the first are tested; the Holm correction
        still counts all pairs.
        """
        pairs = list(itertools.combinations(self.order, 2))
        family = len(pairs)
        if len(self.order) > MAX_FOR_ALL_PAIRS:
            pairs = pairs[: len(self.order) - 1]
        levels = self.leaderboard.seed_levels
        tests = compare_all(self.scores, pairs, max(family, 1), LEVEL, self.absolute_margin, levels)
        return dict(zip(pairs, tests, strict=True))

    @property
    def absolute_margin(self) -> float | None:
        """The margin in units of the metric; None without one, or if it is a share and no run has a value."""
        if self.margin is None or not self.margin.is_share:
            return self.margin and self.margin.amount
        best = self.leaderboard.configurations[self.order[0]].estimate.mean if self.order else math.nan
        return self.margin.amount * abs(best) if math.isfinite(best) and best else None

    def beats(self, place: int) -> int:
        """Return the number of configurations that a configuration is significantly better than."""
        return sum(
            test.beaten(LEVEL) and (test.sign < 0) == (a == place)
            for (a, b), test in self.comparisons.items()
            if place in (a, b)
        )

    def median_run(self, place: int) -> str:
        """Return the seed of the run with the median value; of an even number of runs, the better of the two."""
        scores = self.scores[place]
        by_value = sorted(scores, key=lambda seed: scores[seed] if math.isfinite(scores[seed]) else math.inf)
        return by_value[(len(by_value) - 1) // 2]

    def against_first(self, place: int) -> str:
        """Return the result of the comparison of a configuration with the first, in words."""
        if not self.order or place not in self.order:
            return "no finished run"
        if not self.leaderboard.configurations[place].estimate.n:
            return (
                "every run is N/A" if len(self.leaderboard.configurations[place].scores) > 1 else "its only run is N/A"
            )
        if place in self.no_better:
            return "no better than untrained"
        if place == self.order[0]:
            return "first"
        test = self.comparisons[self.order[0], place]
        if test.beaten(LEVEL):
            # The ranking uses means, the test uses paired differences; they can disagree.
            return "beaten" if test.sign < 0 else "better in the paired test"
        if test.equivalent(LEVEL):
            return f"equivalent within {self.margin}"
        if test.num_seeds < 2:
            return "undecided: only one common seed" if test.num_seeds else "undecided: no common seed"
        more = test.more_seeds()
        if more is None:
            return "undecided: no measurable difference"
        return f"undecided: needs about {more_seeds(more, test)}"

    @cached_property
    def tests(self) -> list[str]:
        """Names of the tests that were used."""
        some_na = any(one.estimate.num_na for one in self.leaderboard.configurations)
        words = {"t": "paired t", "sign": f"sign (where {'a run is N/A' if some_na else 'all differences are equal'})"}
        return [words[name] for name in dict.fromkeys(test.test for test in self.comparisons.values()) if name]


def more_seeds(number: int, test: Comparison) -> str:
    """Return a number of further seeds as text."""
    return f"{number} more seed{'s' if number > 1 else ''}{' of each kind' if test.num_levels else ''}"


def _matrix(scores: Sequence[dict[str, float]]) -> np.ndarray:
    """Return a (configurations, values) array with the right share of N/A and the right mean in each row.

    Candidates may have different numbers of seeds. Rows are repeated to a common length,
    which changes neither quantity.
    """
    length = int(np.lcm.reduce([len(by_seed) for by_seed in scores]))
    return np.array([list(by_seed.values()) * (length // len(by_seed)) for by_seed in scores])
