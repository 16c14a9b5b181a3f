"""Race over training steps: stop a run as soon as its configuration can't be the best one, at a stated error rate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

LEVEL = 0.05
FEWEST_SEEDS, FEWEST_PILOTS = 2, 4
FEWEST_COMPLETE = 3  # complete runs, below which nothing is predicted
PRIOR_DF = 20  # largest weight of the pooled variance, in degrees of freedom
SMALLEST = 1e-18  # variance, for runs without any noise


@dataclass(frozen=True)
class Curve:
    """Evaluations of one run.

    Args:
        scores: by step, lower is better; the last one of a complete run is its final score.
        state: `out` if it was dropped or failed, so that its configuration is not in the race any more.
    """

    scores: Mapping[int, float]
    state: Literal["complete", "diverged", "out"] = "complete"

    @property
    def final(self) -> float:
        """Score at the last evaluation."""
        return self.scores[max(self.scores)]


Curves = Mapping[int, Curve]  # of one configuration, by seed


@dataclass(frozen=True)
class Stage:
    """The runs to make next.

    Args:
        wanted: pairs (index of the configuration, seed); empty when the race is over.
        limits: of a wanted run by step: it is dropped at an evaluation with a higher score.
        remaining: indices of the configurations that can still be the best.
    """

    wanted: Sequence[tuple[int, int]]
    limits: Mapping[tuple[int, int], Mapping[int, float]] = field(default_factory=dict)
    remaining: Sequence[int] = ()


@dataclass(frozen=True)
class StepRace:
    """Race of m configurations over S seeds and J evaluations between the first and the last step.

    First the pilots, max(4, sqrt(m)) configurations, are trained with two seeds. Then each seed in turn is trained for
    all remaining configurations. After each of these stages, configuration i is dropped if its mean final score is
    worse than that of another remaining one c in a one-sided test at level a:

        mean_i - mean_c > t_{1-a} sqrt(s_i^2 / n_i + s_c^2 / n_c),   a = level / ((number remaining - 1) S)

    with degrees of freedom as in Welch's test. With few seeds, s_i^2 is shrunk to the variance s_0^2 that is pooled
    over all configurations (Smyth 2004, doi:10.2202/1544-6115.1027, eq. 4; its weight d_0 are the pooled degrees of
    freedom, at most `PRIOR_DF`, instead of an estimate):

        s_i^2 = (d_0 s_0^2 + sum_s (y_is - mean_i)^2) / (d_0 + n_i - 1)

    During a run the same test is made at every evaluation, at level a / J, with the final score predicted from the
    score x at step t: x - g with variance s_i^2 + v. For a configuration with complete runs, g is their mean
    improvement from t to the end, and v the pooled variance of improvements within configurations; otherwise g is the
    mean improvement of all complete runs and v its variance over these; v is multiplied by 1 + 1 / (runs in g). The
    predicted score is combined with the n_i final scores by precision.

    The levels add up over rivals, seeds and evaluations (union bound), so the bounds hold at all times simultaneously:
    the best configuration is dropped with a probability of at most `level`. This is nominal: it assumes that final
    scores and improvements are normal, with variances that resemble the pooled ones, and that the improvements of the
    pilots resemble those of the others; it counts the rivals that remain, although their number is random. Measured in
    tests/statistics/test_step_race.py and docs/records/race.md. A configuration with a diverged run loses to any
    without.

    Args:
        seeds: in the order in which they are added, at least two.
        level: largest probability of dropping the best configuration.
    """

    seeds: tuple[int, ...]
    level: float = LEVEL

    def __post_init__(self) -> None:
        if len(set(self.seeds)) < FEWEST_SEEDS:
            raise ValueError(f"seeds={self.seeds}: expected at least {FEWEST_SEEDS} different seeds")
        if not 0 < self.level < 1:
            raise ValueError(f"level={self.level}: expected a probability between 0 and 1")

    def stage(self, curves: Sequence[Curves], order: Sequence[int]) -> Stage:
        """Replay the race with the available runs and return its first stage that lacks some.

        The result depends on the runs of earlier stages only, not on the order in which runs of a stage have ended.

        Args:
            curves: of every configuration.
            order: of the configurations; the first ones are the pilots (`coverage`).
        """
        seen: list[dict[int, Curve]] = [{} for _ in curves]
        live, pilots = [*order], order[: max(FEWEST_PILOTS, math.ceil(math.sqrt(len(curves))))]
        stages = [(pilots, self.seeds[:FEWEST_SEEDS]), *((order, (seed,)) for seed in self.seeds)]
        for number, (places, seeds) in enumerate(stages):
            due = [(place, s) for s in seeds for place in places if place in live and s not in seen[place]]
            missing = [(place, seed) for place, seed in due if seed not in curves[place]]
            if missing:
                return Stage(missing, self._limits(seen, live, missing) if number else {}, live)
            for place, seed in due:
                seen[place][seed] = curves[place][seed]
            live = self._remaining(seen, live) if due else live
            if len(live) < 2 and number:
                break
        return Stage([], {}, live)

    def _share(self, live: Sequence[int]) -> float:
        """Return the level of one comparison after a stage."""
        return self.level / (max(len(live) - 1, 1) * len(self.seeds))

    def _remaining(self, seen: Sequence[Curves], live: Sequence[int]) -> list[int]:
        """Return the configurations that stay in the race, given all runs so far."""
        share = self._share(live)
        live = [place for place in live if not any(curve.state == "out" for curve in seen[place].values())]
        lost = {place for place in live if any(curve.state == "diverged" for curve in seen[place].values())}
        if any(seen[place] and place not in lost for place in live):
            live = [place for place in live if place not in lost]
        means = posterior(seen)
        known = np.array([place for place in live if means is not None and means.num[place]], dtype=int)
        if means is None or len(known) < 2:
            return live
        standard_error, own_df = means.scale[known], means.df[known]
        scale, df = _of_difference(standard_error, own_df, standard_error, own_df)
        p = stdtr(df, (means.loc[known] - means.loc[known, None]) / scale)
        out = {int(place) for place in known[(p < share).any(axis=1)]}
        return [place for place in live if place not in out]

    def _limits(
        self, seen: Sequence[Curves], live: Sequence[int], wanted: Sequence[tuple[int, int]]
    ) -> dict[tuple[int, int], dict[int, float]]:
        """Return the score at every step above which a wanted run is dropped."""
        means, gains = posterior(seen), _Gains.of(seen)
        if means is None or gains is None or not gains.steps:
            return {}
        share, limits = self._share(live) / len(gains.steps), {}
        for place, seed in wanted:
            rivals = np.array([other for other in live if other != place and means.num[other]], dtype=int)
            if len(rivals):
                limits[place, seed] = _limits_of(place, means, gains, rivals, share)
        return limits


class Means(NamedTuple):
    """Mean final scores of m configurations: Student's t, each array (m,).

    Args:
        loc: mean of the final scores; NaN without any.
        variance: of the final score of one run.
        num: number of complete runs.
        df: degrees of freedom of the variance.
    """

    loc: np.ndarray
    variance: np.ndarray
    num: np.ndarray
    df: np.ndarray

    @property
    def scale(self) -> np.ndarray:
        """Standard errors of the means."""
        return np.sqrt(self.variance / np.maximum(self.num, 1))


def posterior(curves: Sequence[Curves]) -> Means | None:
    """Return the mean final scores with shrunk variances; None if no configuration has two complete runs."""
    finals = [[curve.final for curve in by_seed.values() if curve.state == "complete"] for by_seed in curves]
    num = np.array([len(scores) for scores in finals])
    squares = np.array([np.var(scores) * len(scores) if scores else 0.0 for scores in finals])
    num_df = np.maximum(num - 1, 0)
    if not num_df.sum():
        return None
    pooled, prior_df = max(squares.sum() / num_df.sum(), SMALLEST), min(PRIOR_DF, int(num_df.sum()))
    df = prior_df + num_df
    loc = np.array([np.mean(scores) if scores else np.nan for scores in finals])
    return Means(loc, (prior_df * pooled + squares) / df, num, df)


class _Gains(NamedTuple):
    """Improvements of complete runs from each step to the end, arrays (runs, steps)."""

    steps: list[int]
    by_place: Mapping[int, np.ndarray]

    @classmethod
    def of(cls, seen: Sequence[Curves]) -> _Gains | None:
        """Return the improvements at all steps that every complete run was evaluated at, None for too few runs."""
        complete = {n: [c for c in by_seed.values() if c.state == "complete"] for n, by_seed in enumerate(seen)}
        curves = [curve for runs in complete.values() for curve in runs]
        if len(curves) < FEWEST_COMPLETE:
            return None
        common = set.intersection(*(set(curve.scores) for curve in curves))
        steps = sorted(step for step in common if 0 < step < max(max(curve.scores) for curve in curves))
        by_place = {
            n: np.array([[curve.scores[step] - curve.final for step in steps] for curve in runs])
            for n, runs in complete.items()
            if runs
        }
        return cls(steps, by_place)

    def predicted(self, place: int) -> tuple[np.ndarray, np.ndarray, int]:
        """Return mean and variance (steps,) of the improvement of a new run, and the degrees of freedom."""
        own, groups = self.by_place.get(place), self.by_place.values()
        df = sum(len(gains) - 1 for gains in groups)
        if own is not None and df:
            within = sum((gains.var(axis=0) * len(gains) for gains in groups), start=np.zeros(len(self.steps))) / df
            return own.mean(axis=0), within * (1 + 1 / len(own)), df
        every = np.concatenate([*groups])
        return every.mean(axis=0), every.var(axis=0, ddof=1) * (1 + 1 / len(every)), len(every) - 1


def _limits_of(place: int, means: Means, gains: _Gains, rivals: np.ndarray, share: float) -> dict[int, float]:
    """Return the scores by step at which the predicted mean of a configuration is worse than that of a rival."""
    gain, spread, df = gains.predicted(place)
    variance = means.variance[place] + spread
    before = means.num[place] / means.variance[place]  # precision of the complete runs
    precision = before + 1 / variance
    scale, both_df = _of_difference(
        precision**-0.5, np.minimum(means.df[place], np.full(len(gain), df)), means.scale[rivals], means.df[rivals]
    )
    worst = (means.loc[rivals] - stdtrit(both_df, share) * scale).min(axis=1)
    # (loc * before + (score - gain) / variance) / precision = worst, solved for the score
    known = means.loc[place] * before if before else 0.0
    return dict(zip(gains.steps, ((worst * precision - known) * variance + gain).tolist(), strict=True))


def _of_difference(
    scale: np.ndarray, df: np.ndarray, other_scale: np.ndarray, other_df: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return standard error and Welch's degrees of freedom (n, m) of n means minus m other means."""
    a, b = scale[:, None] ** 2, other_scale**2
    return np.sqrt(a + b), (a + b) ** 2 / (a**2 / df[:, None] + b**2 / other_df)


def coverage(settings: Sequence[Sequence[object]]) -> list[int]:
    """Return an order of configurations whose first ones cover the grid.

    Each next configuration is one whose values have been taken least often so far; of equal ones, that with the
    smallest position in van der Corput's sequence.

    >>> coverage([("adam", 1), ("adam", 2), ("sgd", 1), ("sgd", 2)])
    [0, 3, 2, 1]

    Args:
        settings: values of the varied settings of every configuration.
    """
    columns = [{value: n for n, value in enumerate(dict.fromkeys(column))} for column in zip(*settings, strict=True)]
    codes = np.array([[columns[c][value] for c, value in enumerate(row)] for row in settings], dtype=int)
    codes = codes.reshape(len(settings), -1)
    taken = [np.zeros(len(column)) for column in columns]
    left = np.array([_van_der_corput(n) for n in range(len(settings))])  # below 1, ties of the counts
    order = []
    for _ in settings:
        counts = left + sum((taken[c][codes[:, c]] for c in range(len(columns))), start=np.zeros(len(settings)))
        chosen = int(counts.argmin())
        order.append(chosen)
        left[chosen] = np.inf
        for c, code in enumerate(codes[chosen]):
            taken[c][code] += 1
    return order


def _van_der_corput(n: int) -> float:
    """Return element n of the sequence 0, 1/2, 1/4, 3/4, ... in [0, 1): the binary digits of n mirrored at the point.

    >>> [_van_der_corput(n) for n in range(4)]
    [0.0, 0.5, 0.25, 0.75]
    """
    return int(f"{n:b}"[::-1], 2) / 2 ** n.bit_length() if n else 0.0
