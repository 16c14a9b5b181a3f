"""The angle between two directions of both players."""

from __future__ import annotations

from torch import Tensor

from gansweep.dynamics.position import Both


def cosine(a: Both, b: Both) -> Tensor:
    """Return <a, b> / (|a| |b|) of every member, (K, 1); NaN where one of them is zero.

    Two of these are shown. Between the fields of two diagnoses, `turn` = cos(v_t, v_before): 1 says that the
    field keeps its direction, 0 a quarter turn, -1 a reversal; of two points at random on a circle it
    averages to 0. Between the field and the way from the start,

        path = cos(-v(x_t), x_t - x_0),

    which is the path-angle of Berard et al. 2020, arXiv:1906.04848, section 4 (c(alpha) at alpha = 1, the
    path being the straight line from the start to where the training is now): 1 says that the game goes on
    in a straight line, 0 that it moves across its path, as in a rotation, and below 0 it is coming back.
    """
    return a.dot(b) / (a.dot(a).sqrt() * b.dot(b).sqrt())
