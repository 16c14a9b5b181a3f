"""Order of the configurations of a grid in which the first ones cover the grid."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np


def space_filling_order(settings: Sequence[Sequence[Any]]) -> list[int]:
    """Return an order of m configurations whose first n cover the grid, for every n.

    The first is the one nearest to the middle of all numeric settings. Each next one has the values that were taken
    least often so far (sum over its settings), and of these the largest distance to the nearest one taken, which is
    a greedy maximin design (Johnson, Moore and Ylvisaker 1990, doi:10.1016/0378-3758(90)90122-B):

        d(x, y) = sum over settings of |u(x) - u(y)|

    with u the rank of a numeric value, scaled to [0, 1], so that the scale does not matter; two different values of
    another setting have the distance 1. Of equal ones the first is chosen.

    >>> space_filling_order([("adam", 1), ("adam", 2), ("adam", 3), ("sgd", 1), ("sgd", 2), ("sgd", 3)])
    [1, 3, 5, 0, 2, 4]

    Args:
        settings: values of the varied settings of every configuration, in JSON types.
    """
    columns = [(_codes(column), _ranks(column)) for column in zip(*settings, strict=True)]
    numeric = [u for _, u in columns if u is not None]
    distance = -sum((np.abs(u - 0.5) for u in numeric), start=np.zeros(len(settings)))
    counts, order = np.zeros(len(settings)), list[int]()
    for number in range(len(settings)):
        least = np.flatnonzero(counts == counts.min())
        chosen = int(least[distance[least].argmax()])
        order.append(chosen)
        to_chosen = np.zeros(len(settings))
        for codes, u in columns:
            equal = codes == codes[chosen]
            counts += equal
            to_chosen += ~equal if u is None else np.abs(u - u[chosen])
        distance = np.minimum(distance, to_chosen) if number else to_chosen
        counts[chosen] = np.inf
    return order


def _codes(column: Sequence[Any]) -> np.ndarray:
    """Return the number of each value among the distinct values."""
    texts = [json.dumps(value, sort_keys=True) for value in column]
    numbers = {text: n for n, text in enumerate(dict.fromkeys(texts))}
    return np.array([numbers[text] for text in texts])


def _ranks(column: Sequence[Any]) -> np.ndarray | None:
    """Return the ranks of the distinct values, scaled to [0, 1]; None unless all values are numbers."""
    if any(isinstance(value, bool) or not isinstance(value, (int, float)) for value in column):
        return None
    _, ranks = np.unique(np.array(column, dtype=float), return_inverse=True)
    return ranks / max(ranks.max(initial=0), 1)
