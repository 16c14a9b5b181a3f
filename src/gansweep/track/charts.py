"""Data of the interactive page of the tracks, in the form of `gansweep.report.charts`: a track is a table.

A configuration is an entry, its keys are the aspects of its method, its runs are the judging seeds. In addition to the
fields of a report it has `entry`: score, median, interval, reached, diverged, seconds; null for infinity.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gansweep.plot_style import COLOURS, is_wide
from gansweep.report.charts import colour_map, compact
from gansweep.track.board import Board, Row, method, verdict
from gansweep.track.methods import AVERAGING, DYNAMICS, OPTIMIZER, OTHER, SCHEDULE, TIME_SCALES
from gansweep.track.pictures import evaluations, metric_name

KEYS = (OPTIMIZER, SCHEDULE, DYNAMICS, TIME_SCALES, AVERAGING, OTHER)


def data(boards: Sequence[Board]) -> dict[str, Any]:
    """Return the data of all charts of the page."""
    tables = [_table(board) for board in boards]
    return {"tables": tables, "colours": COLOURS, "maps": {name: colour_map(name) for name in ("viridis", "cividis")}}


def _table(board: Board) -> dict[str, Any]:
    every = [evaluations(row) for row in board.rows]
    choices = [[method(row.entry).choice(key) or "none" for key in KEYS] for row in board.rows]
    keys = [
        {"key": key, "values": list(dict.fromkeys(values)), "numbers": None}
        for key, values in zip(KEYS, zip(*choices, strict=True), strict=True)
    ]
    steps = [list(found) for found in dict.fromkeys(tuple(map(int, steps)) for steps, _ in every)]
    top = float(np.nanmax([values[:, 0] for _, values in every]))
    name = metric_name(board)
    return {
        "name": board.track.name,
        "metric": f"{name} ≤ {board.track.target:g}",
        "how": "steps to",
        "lower": True,
        "repeated": ["seed"],
        "axes": {"rate": None, "method": OPTIMIZER, "rest": []},
        "fields": {
            "value": {
                "name": name,
                "untrained": None,
                "floor": None,
                "target": compact(board.track.target),
                "top": compact(top),
                "log": is_wide([board.track.target, top]),
            }
        },
        "keys": keys,
        "command": f"python -m gansweep.track try {board.track.name}",
        "steps": steps,
        "times": [[]],
        "configurations": [
            _configuration(
                board, place, [k["values"].index(c) for k, c in zip(keys, choices[place], strict=True)], steps
            )
            for place in range(len(board.rows))
        ],
    }


def _configuration(board: Board, place: int, at: Sequence[int], steps: list[list[int]]) -> dict[str, Any]:
    row = board.rows[place]
    own, values = evaluations(row)
    number = steps.index(own.tolist())
    has_value = np.isfinite(values)
    known = has_value.any(axis=0)
    reduced = [np.where(known, reduce(np.where(known, values, 0.0), axis=0), np.nan)
               for reduce in (np.nanmean, np.nanmin, np.nanmax)]  # fmt: skip
    missing = np.flatnonzero(~has_value.all(axis=0))
    ends = {int(np.flatnonzero(line)[-1]) for line in has_value if line.any() and not line[-1]}
    return {
        "name": row.entry.name,
        "at": at,
        "rank": place + 1,
        "verdict": verdict(board, row),
        "mean": None,
        "low": None,
        "high": None,
        "na": len(row.times) - row.num_reached,
        "sample": None,
        "entry": {
            "score": compact(row.score),
            "median": compact(row.median),
            "interval": [compact(end) for end in row.interval],
            "reached": row.num_reached,
            "diverged": row.num_diverged,
            "seconds": compact(row.entry.seconds),
        },
        "curves": {
            "value": {
                "steps": number,
                "times": 0,
                **{
                    name: list(map(compact, line.tolist()))
                    for name, line in zip(("mean", "low", "high"), reduced, strict=True)
                },
                "common": int(missing[0]) if len(missing) else len(own),
                "lost": sorted(ends),
            }
        },
        "runs": [
            _run(board, row, seed, number, line.tolist()) for seed, line in zip(sorted(row.times), values, strict=True)
        ],
    }


def _run(board: Board, row: Row, seed: int, number: int, values: Sequence[float]) -> dict[str, Any]:
    run = row.entry.runs[seed]
    lost = run.divergence
    return {
        "cell": board.cell(row, seed),
        "seed": str(seed),
        "state": run.state,
        "score": compact(row.times[seed]),
        "trouble": f"diverged at step {lost['step']}: {lost['cause']}" if lost else "",
        "line": " ".join(row.entry.overrides),
        "steps": number,
        "times": 0,
        "value": list(map(compact, values)),
    }
