"""Who won, and who may yet."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gansweep.report.leaderboard import Candidate, Contest
from gansweep.statistics.paired import Comparison, compare_all
from gansweep.statistics.ranking import order, rank_probabilities

LEVEL = 0.05
MOST_FOR_ALL_PAIRS = 40
MOST_TO_RANK_AGAIN = 400  # resampling the ranks of more would take seconds


@dataclass(frozen=True)
class Verdict:
    """What the seeds say about the candidates of one contest."""

    contest: Contest

    @cached_property
    def scores(self) -> list[dict[str, float]]:
        """Of every candidate by seed, turned so that lower is better."""
        sign = self.contest.sign
        return [{seed: sign * value for seed, value in one.scores.items()} for one in self.contest.candidates]

    @cached_property
    def no_better(self) -> frozenset[int]:
        """Places of the candidates that are no better than their untrained generators; none of them is called first."""
        return frozenset(place for place, one in enumerate(self.contest.candidates) if one.is_no_better_than_untrained)

    @cached_property
    def order(self) -> list[int]:
        """Places of the candidates that have come to an end at least once, the best first.

        Behind those that improved on the untrained generator come those that did not, then those without any value.
        """
        ended = [place for place, one in enumerate(self.scores) if one]
        ranked = [ended[place] for place in order(_matrix([self.scores[place] for place in ended]))] if ended else []
        return sorted(
            ranked, key=lambda place: (not self.contest.candidates[place].estimate.n, place in self.no_better)
        )

    @property
    def places(self) -> list[int]:
        """Places of all candidates: those in the order, then the others."""
        return [*self.order, *(place for place in range(len(self.scores)) if place not in self.order)]

    @property
    def first(self) -> Candidate | None:
        """The best so far, None if no candidate has a value that is better than untrained."""
        best = self.contest.candidates[self.order[0]] if self.order and self.order[0] not in self.no_better else None
        return best if best is not None and best.estimate.n else None

    @cached_property
    def _ranked(self) -> list[int]:
        """Places of the order, without those that are no better than untrained."""
        return [place for place in self.order if place not in self.no_better]

    @cached_property
    def common(self) -> list[str]:
        """Seeds that all candidates that may be first were run from."""
        ended = [self.scores[place] for place in self._ranked]
        return [seed for seed in ended[0] if all(seed in one for one in ended)] if ended else []

    @cached_property
    def p_first(self) -> dict[int, float]:
        """Chance of each candidate to be first with other seeds; empty where there are too few seeds to tell."""
        if len(self.common) < 2 or not 1 < len(self._ranked) <= MOST_TO_RANK_AGAIN:
            return {}
        values = np.array([[self.scores[place][seed] for seed in self.common] for place in self._ranked])
        chances = rank_probabilities(values)[:, 0]
        return {place: float(chance) for place, chance in zip(self._ranked, chances, strict=True)}

    @cached_property
    def comparisons(self) -> dict[tuple[int, int], Comparison]:
        """Of pairs of places, the better ranked first; of many candidates only those with the first."""
        pairs = list(itertools.combinations(self.order, 2))
        family = len(pairs)
        if len(self.order) > MOST_FOR_ALL_PAIRS:
            pairs = pairs[: len(self.order) - 1]
        return dict(zip(pairs, compare_all(self.scores, pairs, max(family, 1), LEVEL), strict=True))

    def beats(self, place: int) -> int:
        """Return how many others a candidate has been shown to be better than."""
        return sum(
            found.beaten(LEVEL) and (found.sign < 0) == (a == place)
            for (a, b), found in self.comparisons.items()
            if place in (a, b)
        )

    def against_first(self, place: int) -> str:
        """Say how a candidate stands against the first."""
        if not self.order or place not in self.order:
            return "no run has ended"
        if not self.contest.candidates[place].estimate.n:
            return "every run is N/A"
        if place in self.no_better:
            return "no better than untrained"
        if place == self.order[0]:
            return "first"
        found = self.comparisons[self.order[0], place]
        if found.beaten(LEVEL):
            # By rank the first is ahead; seed by seed it need not be.
            return "beaten" if found.sign < 0 else "better seed by seed"
        if found.num_seeds < 2:
            return "undecided: one seed says nothing" if found.num_seeds else "undecided: no common seed"
        more = found.more_seeds()
        if more is None:
            return "undecided: no difference to speak of"
        return f"undecided: needs about {more} more seed{'s' if more > 1 else ''}"

    @cached_property
    def tests(self) -> list[str]:
        """Name the tests that were used."""
        words = {"t": "paired t", "sign": "sign (where a run is N/A)"}
        return [words[name] for name in dict.fromkeys(one.test for one in self.comparisons.values()) if name]


def _matrix(scores: Sequence[dict[str, float]]) -> np.ndarray:
    """Put values of possibly different seeds side by side, so that shares and means over each row are right.

    Rows of different length are repeated to a common one, which changes neither.
    """
    length = int(np.lcm.reduce([len(one) for one in scores]))
    return np.array([list(one.values()) * (length // len(one)) for one in scores])
