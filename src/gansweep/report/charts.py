"""Data of the interactive charts of an HTML page: one object of JSON types for each table of results.

`page/marks.js` draws all charts of a table from one object, so that a value is embedded once, and the filter of the
page applies to all of them. Its fields:

    name, metric, how, lower, levels of the metric (`fields`), `axes`: assignment of settings as in the figures
    keys            varied settings: name, values as text, and as numbers if all are
    command         the part of the command line that all runs have in common
    steps, times    distinct lists of steps and of training times in s; runs refer to them by index
    configurations  `at`: index of the value of each key; summary; `curves`: mean and range over seeds; `runs`

Numbers have five significant digits; a value that is not finite is null.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gansweep.formatting import metric_label
from gansweep.plot_style import COLOURS, is_wide
from gansweep.report.cell_command import CellCommands
from gansweep.report.curves import by_seed, limiting_values, metrics, times
from gansweep.report.facts import address
from gansweep.report.plot_axes import PlotAxes
from gansweep.report.samples import Sample
from gansweep.report.study import Study
from gansweep.report.verdict import Verdict
from gansweep.results.configuration import Configuration
from gansweep.sweep.cell import Result
from gansweep.sweep.identity import plain
from gansweep.sweep.sweep_keys import is_number

DIGITS = 5
MOST_POINTS = 400  # of a line
STOPS = 12  # colours of a colour map


def data(study: Study, verdicts: Mapping[str, Verdict], samples: Sequence[Sample], folder: Path) -> dict[str, Any]:
    """Return the data of all charts of a page.

    Args:
        study: the sweep.
        verdicts: the verdict of every table, by the name of the table.
        samples: the sample image of each configuration that has one.
        folder: folder of the page; paths of images are relative to it.
    """
    paths = {sample.configuration.mark: address(sample.path, folder) for sample in samples}
    return with_colours([_Table(study, verdict, paths).data(name) for name, verdict in verdicts.items()])


def with_colours(tables: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the data of some tables together with the colours of the charts."""
    return {"tables": tables, "colours": COLOURS, "maps": {name: colour_map(name) for name in ("viridis", "cividis")}}


def compact(number: float | None) -> float | int | None:
    """Return a number with `DIGITS` significant digits, None if it is not finite.

    >>> compact(123456.0), compact(0.000123456), compact(40.0), compact(float("nan"))
    (123460, 0.00012346, 40, None)
    """
    if number is None or not math.isfinite(number):
        return None
    short = float(f"{number:.{DIGITS}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def line(name: str, x: Sequence[float], y: Sequence[float]) -> dict[str, Any]:
    """Return a line of a chart; of more than `MOST_POINTS` points, equally spaced ones and the last.

    `every` is their distance, 1 if all are there.
    """
    every = -(-len(x) // MOST_POINTS) or 1
    chosen = list(range(0, len(x), every))
    if chosen and chosen[-1] != len(x) - 1:
        chosen.append(len(x) - 1)
    return {"name": name, "x": [compact(x[n]) for n in chosen], "y": [compact(y[n]) for n in chosen], "every": every}


def colour_map(name: str) -> list[str]:
    """Return `STOPS` colours of a colour map of matplotlib, at equal distances."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return [to_hex(colormaps[name](n / (STOPS - 1))) for n in range(STOPS)]


class _Table:
    """Data of one table; equal lists are stored once."""

    def __init__(self, study: Study, verdict: Verdict, paths: Mapping[str, str]) -> None:
        self.verdict, self.paths = verdict, paths
        self.leaderboard, self.layout = verdict.leaderboard, PlotAxes.of(verdict.leaderboard)
        self.steps, self.times = _Distinct(), _Distinct()
        board, self.fields = self.leaderboard, metrics(self.leaderboard)
        self.levels = {**{key: [value] for key, value in board.fixed.items()}, **board.levels}
        cells = [result.cell for result in board.results]
        self.commands = CellCommands(study, cells, {*self.levels, *board.repeated})

    def data(self, name: str) -> dict[str, Any]:
        board, layout = self.leaderboard, self.layout
        configurations = [self._configuration(place) for place in range(len(board.configurations))]
        return {
            "name": name,
            "metric": board.metric_label,
            "how": board.how,
            "lower": board.sign > 0,
            "repeated": list(board.repeated),
            "axes": {"rate": layout.rate, "method": layout.method, "rest": list(layout.rest)},
            "fields": {field: self._field(field, metric) for field, metric in self.fields.items()},
            "keys": [_key(key, values) for key, values in self.levels.items()],
            "command": self.commands.shared,
            "steps": self.steps.lists,
            "times": self.times.lists,
            "configurations": configurations,
        }

    def _field(self, field: str, metric: Mapping[str, Any]) -> dict[str, Any]:
        board = self.leaderboard
        values = limiting_values(board.configurations, field)
        untrained = board.untrained if field == "value" else metric.get("untrained")
        return {
            "name": metric_label(str(metric.get("name", "result"))),
            "untrained": compact(untrained),
            "floor": compact(metric.get("floor")),
            "top": compact(max(values, default=math.nan)),
            "log": is_wide(values),
        }

    def _configuration(self, place: int) -> dict[str, Any]:
        one = self.leaderboard.configurations[place]
        ranked = place in self.verdict.order and place not in self.verdict.no_better
        settings, estimate = {**self.leaderboard.fixed, **one.settings}, one.estimate
        chosen = {
            "name": one.name,
            "at": [values.index(settings[key]) for key, values in self.levels.items()],
            "rank": self.verdict.order.index(place) + 1 if ranked else None,
            "verdict": self.verdict.against_first(place),
            "mean": compact(estimate.mean) if estimate.n else None,
            "low": compact(estimate.low),
            "high": compact(estimate.high),
            "na": estimate.num_na,
            "sample": self.paths.get(one.mark),
            "runs": [self._run(seed, result, one.scores.get(seed)) for seed, result in one.runs.items()],
        }
        if len(one.runs) > 1:
            chosen["curves"] = {field: self._mean(one, field) for field in self.fields}
        return chosen

    def _mean(self, one: Configuration, field: str) -> dict[str, Any]:
        """Return mean and range of the seeds that have a value, as the figure of the curves draws them.

        `common` is the number of steps at which all have one; `lost` are the places where lost seeds end.
        """
        steps, values, lost = by_seed(one, field)
        has_value = np.isfinite(values)
        missing = np.flatnonzero(~has_value.all(axis=0))
        ends = [row.nonzero()[0][-1] for row, is_lost in zip(has_value, lost, strict=True) if is_lost and row.any()]
        reduced = (
            reduce(values, axis=0) if values.size else np.empty(0) for reduce in (np.nanmean, np.nanmin, np.nanmax)
        )
        return {
            "steps": self.steps.add(steps.tolist()),
            "times": self.times.add(_compact(times(one, steps))),
            **dict(zip(("mean", "low", "high"), map(_compact, reduced), strict=True)),
            "common": int(missing[0]) if len(missing) else len(steps),
            "lost": sorted({int(end) for end in ends}),
        }

    def _run(self, seed: str, result: Result, score: float | None) -> dict[str, Any]:
        steps, seconds = [evaluation["step"] for evaluation in result.evaluations], result.trained_s
        return {
            "cell": result.cell.short_hash,
            "seed": seed,
            "state": result.state.value,
            "score": compact(score),
            "trouble": result.trouble,
            "line": self.commands.rest(result.cell),
            "steps": self.steps.add(steps),
            "times": self.times.add([compact(seconds.get(step)) for step in steps]),
            **{field: [compact(evaluation.get(field)) for evaluation in result.evaluations] for field in self.fields},
        }


class _Distinct:
    """Distinct lists in the order of their first occurrence."""

    def __init__(self) -> None:
        self.lists: list[list[Any]] = []
        self._index: dict[Hashable, int] = {}

    def add(self, values: list[Any]) -> int:
        """Return the index of a list."""
        key = tuple(values)
        if key not in self._index:
            self._index[key] = len(self.lists)
            self.lists.append(values)
        return self._index[key]


def _compact(values: np.ndarray) -> list[float | int | None]:
    return [compact(value) for value in values.tolist()]


def _key(key: str, values: Sequence[Any]) -> dict[str, Any]:
    numbers = [float(value) for value in values] if all(map(is_number, values)) else None
    return {"key": key, "values": [plain(value) for value in values], "numbers": numbers}
