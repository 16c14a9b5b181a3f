"""Comparison of printed and measured numbers: verdicts, rank correlations, and a table of methods."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from gansweep.formatting import metric_label, number
from gansweep.papers.runs import Run, grouped
from gansweep.section import Table

Key = TypeVar("Key")
CONFIDENCE = 0.95
METHODS = ("none", "r1", "r2", "gp", "wgan_gp", "wgan_gp_1", "wgan_gp_5")  # order of the rows


def rate(lr: float | None) -> str:
    """Return a learning rate in the form 1e-4; `-` for None.

    >>> rate(1e-4), rate(0.1), rate(5e-5), rate(None)
    ('1e-4', '1e-1', '5e-5', '-')
    """
    return "-" if lr is None else f"{lr:.0e}".replace("e-0", "e-")


def plural(count: int, noun: str) -> str:
    """Return a noun, with an s unless the count is 1."""
    return noun if count == 1 else f"{noun}s"


def shown(value: float | None, missing: str = "N/A") -> str:
    """Return a formatted value, or `missing` for None."""
    return missing if value is None else number(value)


def spread(values: Sequence[float]) -> str:
    """Return mean ± standard deviation; a single value without deviation; N/A without values."""
    if not values:
        return "N/A"
    mean = statistics.fmean(values)
    if len(values) == 1:
        return number(mean)
    return f"{number(mean)} ± {number(statistics.stdev(values), like=mean)}"


def mean(values: Iterable[float | None]) -> float | None:
    """Return the mean of the values that are not None; None without such values."""
    present = [value for value in values if value is not None]
    return statistics.fmean(present) if present else None


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % prediction interval of one more run, for normally distributed seeds.

        mean -+ t(n - 1) sd sqrt(1 + 1 / n)

    The printed number is a single run, so it is compared with this and not with the interval of the mean.

    >>> low, high = interval([1.0, 2.0, 3.0])
    >>> round(low, 3), round(high, 3)
    (-2.968, 6.968)
    """
    from scipy import stats

    n = len(values)
    centre = statistics.fmean(values)
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)) * statistics.stdev(values) * math.sqrt(1 + 1 / n)
    return centre - half, centre + half


def band(value: float, borders: Sequence[float]) -> int:
    """Return the number of borders that a value reaches or exceeds.

    >>> [band(value, (100, 200)) for value in (99.9, 100, 300)]
    [0, 1, 2]
    """
    return sum(value >= border for border in borders)


def verdict(
    printed: float | None,
    measured: Sequence[float | None],
    borders: Sequence[float],
    our_borders: Sequence[float] | None = None,
) -> str:
    """Return the agreement of a printed value with several seeds in a few words.

    Args:
        printed: the printed value; None for N/A.
        measured: final values; None for a diverged run.
        borders: limits of the bands of the paper.
        our_borders: limits in our metric, if it differs; intervals are then not compared.
    """
    values = [value for value in measured if value is not None]
    if printed is None:
        return "both N/A" if not values else "printed N/A" if len(values) == len(measured) else "N/A in some seeds"
    if not values:
        return "N/A here"
    same = band(printed, borders) == band(statistics.fmean(values), our_borders or borders)
    side = "same band" if same else "other band"
    if our_borders is not None or len(values) < 2:
        return side
    low, high = interval(values)
    return "inside" if low <= printed <= high else f"outside, {side}"


def ranks(values: Mapping[Key, float | None]) -> dict[Key, int]:
    """Return ranks from 1 (lowest value), in this order; missing values have no rank.

    >>> ranks({1: None, 2: 0.5, 7: 0.4})
    {7: 1, 2: 2}
    """
    known: list[tuple[float, Any]] = sorted((value, key) for key, value in values.items() if value is not None)
    return {key: rank for rank, (_, key) in enumerate(known, 1)}


def rank_correlation(first: Mapping[Any, float | None], second: Mapping[Any, float | None]) -> tuple[float, int]:
    """Return Spearman's rho over the keys with values in both, and their number.

    NaN with fewer than three pairs, or if all values of one side are equal.

    >>> rank_correlation({1: 1.0, 2: 2.0, 3: 9.0, 4: None}, {1: 5.0, 2: 6.0, 3: 7.0, 4: 1.0})
    (1.0, 3)
    """
    import numpy as np
    from scipy.stats import rankdata

    pairs = [(a, second[key]) for key, a in first.items() if a is not None and second.get(key) is not None]
    columns = rankdata(np.array(pairs).reshape(-1, 2), axis=0)
    if len(pairs) < 3 or not np.ptp(columns, axis=0).all():
        return math.nan, len(pairs)
    return round(float(np.corrcoef(columns.T)[0, 1]), 6), len(pairs)


def metric_names(runs: Iterable[Run]) -> dict[str, str]:
    """Return the metric names by key of the evaluations: `value`, and `value_2` if there is a second metric."""
    names: dict[str, str] = {}
    for run in runs:
        for key, metric in (("value", "metric"), ("value_2", "metric_2")):
            if run.record.get(metric):
                names.setdefault(key, metric_label(run.record[metric]["name"]))
    return dict(sorted(names.items())) or {"value": ""}


def by_method(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """Return runs by method, which is the last part of the experiment's name: r1 for mescheder_images/r1."""

    def position(run: Run) -> tuple[int, str, int]:
        method = run.choice("experiment")
        return METHODS.index(method) if method in METHODS else len(METHODS), method, run.seed

    return grouped(sorted(runs, key=position), lambda run: run.choice("experiment"))


def method_table(runs: Sequence[Run]) -> Table:
    """Return a table of final and best values, diverged seeds and training time, one row per method."""
    first, *second = metric_names(runs).values()
    head = ["method", f"final {first or 'result'}", "best during training", *(f"final {name}" for name in second)]
    rows = []
    for method, group in by_method(runs).items():
        finished, values, lost = results(group, len(second))
        rows.append([method, *values, lost, spread([_seconds(run) for run in finished])])
    return Table([*head, "N/A", "seconds"], rows)


def results(runs: Sequence[Run], num_second: int) -> tuple[list[Run], list[str], str]:
    """Return the runs with a final value; mean final, best and, `num_second` times, second values; number of others."""
    finished = [run for run in runs if run.final is not None]
    values = [[run.metric[key] for run in finished] for key in ("final", "best")]
    values += [[run.metric_2["final"] for run in finished] for _ in range(num_second)]
    return finished, list(map(spread, values)), f"{len(runs) - len(finished)} of {len(runs)}"


def _seconds(run: Run) -> float:
    """Return the training time in seconds without evaluation; for a member of a pack, that of the whole pack."""
    steps = run.record["steps"]
    seconds = run.trained_s.get(steps)
    return steps / run.record["time"]["steps_per_s"] if seconds is None else seconds
