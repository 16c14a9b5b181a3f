"""Order of the cells of a sweep that is bounded by `cells` or `hours`, and the ones that it trains."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence

from gansweep.statistics.space_filling import space_filling_order
from gansweep.sweep.cell import Cell
from gansweep.sweep.sweep_keys import SEEDS, swept_keys, value


def training_order(cells: Sequence[Cell], searched: Collection[str] = ()) -> list[int]:
    """Return the order in which a part of a grid tells most, as indices.

    Every setting has its first seed before any has a second one. The settings are in a space-filling order. Points of
    a search are in the order of their sampler, each with all other settings, so that a part of a search is the search
    with a smaller `num`.

    Args:
        cells: the grid; cells that differ in their seeds only are one setting.
        searched: keys that were given as intervals.
    """
    keys = [key for key in swept_keys(cells) if key not in SEEDS]
    values = [[value(cell, key) for key in keys] for cell in cells]
    texts = [json.dumps(row, sort_keys=True) for row in values]
    listed = [[x for key, x in zip(keys, row, strict=True) if key not in searched] for row in values]
    points = _numbers([[x for key, x in zip(keys, row, strict=True) if key in searched] for row in values])
    numbers = _numbers(listed)
    distinct = dict(zip(numbers, listed, strict=True))
    ranks = {number: rank for rank, number in enumerate(space_filling_order(list(distinct.values())))}
    seeds, repetition = dict[str, int](), list[int]()
    for text in texts:
        seeds[text] = seeds.get(text, -1) + 1
        repetition.append(seeds[text])
    return sorted(range(len(cells)), key=lambda n: (repetition[n], points[n], ranks[numbers[n]], n))


def _numbers(rows: Sequence[Sequence[object]]) -> list[int]:
    """Return the number of each row among the distinct rows, in order of appearance."""
    texts = [json.dumps(row, sort_keys=True) for row in rows]
    numbers = {text: n for n, text in enumerate(dict.fromkeys(texts))}
    return [numbers[text] for text in texts]


def bounded(
    cells: Sequence[Cell],
    is_done: Callable[[Cell], bool],
    most: int | None,
    searched: Collection[str] = (),
) -> list[int]:
    """Return the indices of the cells of a bounded sweep: those that are done, and the next ones up to `most` in all.

    The result is the same after some of these cells have ended, so the same command line continues an interrupted
    sweep with the same cells.

    Args:
        cells: the grid; of cells with equal hashes the first is used.
        is_done: returns True if a cell needs no training.
        most: largest number of cells; None: all. It is exceeded only by cells that are done.
        searched: keys that were given as intervals.
    """
    first = {cell.hash: n for n, cell in reversed(list(enumerate(cells)))}
    order = [n for n in training_order(cells, searched) if first[cells[n].hash] == n]
    if most is None:
        return order
    done = {n for n in order if is_done(cells[n])}
    further = [n for n in order if n not in done][: max(most - len(done), 0)]
    kept = done.union(further)
    return [n for n in order if n in kept]
