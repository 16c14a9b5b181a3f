"""Piecewise constant schedule."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from gansweep.schedules.pointwise import Pointwise


@dataclass(frozen=True)
class Piecewise(Pointwise):
    """Piecewise constant schedule, given as a list of values and lengths.

    Lengths are whole numbers of steps that sum to the length of the run, or fractions below 1
    of the run that sum to 1. A list that does not cover the whole run is an error.

    >>> Piecewise([[1.0, 2], [0.5, 1]], factor=2.0).values(3)
    array([2., 2., 1.])
    >>> Piecewise([[1.0, 0.5], [0.1, 0.5]]).values(4)
    array([1. , 1. , 0.1, 0.1])

    Args:
        pieces: pairs of a value and its length.
        factor: factor of all values.
    """

    pieces: Sequence[Sequence[float]]
    factor: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "pieces", tuple(tuple(piece) for piece in self.pieces))
        if not self.pieces or any(len(piece) != 2 for piece in self.pieces):
            raise ValueError(f"pieces={self.pieces}: expected at least one pair [value, length]")
        if not 0 <= self.factor < math.inf:
            raise ValueError(f"factor={self.factor}: expected a number >= 0")
        for value, length in self.pieces:
            if not 0 <= value < math.inf:
                raise ValueError(f"pieces: value {value}: expected a number >= 0")
            if not 0 < length < math.inf:
                raise ValueError(f"pieces: length {length}: expected a number > 0")
        if self._counts_steps:
            if any(length != int(length) for _, length in self.pieces):
                raise ValueError(f"pieces={self.pieces}: expected whole numbers of steps, or fractions below 1")
        elif not math.isclose(sum(length for _, length in self.pieces), 1.0, rel_tol=1e-9):
            raise ValueError(f"pieces={self.pieces}: expected fractions that sum to 1, or whole numbers of steps")

    @property
    def _counts_steps(self) -> bool:
        return all(length >= 1 for _, length in self.pieces)

    def _ends(self, total_steps: int) -> list[int]:
        """Return the end of each piece: the first step after it."""
        ends = accumulate(length for _, length in self.pieces)
        return [round(end if self._counts_steps else end * total_steps) for end in ends]

    def check(self, total_steps: int) -> None:
        """Raise ValueError unless the lengths sum to the length of the run."""
        end = self._ends(total_steps)[-1]
        if end != total_steps:
            shorter = "shorter" if end < total_steps else "longer"
            raise ValueError(f"pieces: schedule {shorter} than the run: lengths sum to {end}, expected {total_steps}")

    def __call__(self, step: int, total_steps: int) -> float:
        """Return the value of the piece that contains `step`."""
        self.check(total_steps)
        return self.factor * self.pieces[bisect_right(self._ends(total_steps), step)][0]
