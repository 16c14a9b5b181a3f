"""Cosine between two vectors over the parameters of both players."""

from __future__ import annotations

from torch import Tensor

from gansweep.dynamics.position import Both


def cosine(a: Both, b: Both) -> Tensor:
    """Return <a, b> / (|a| |b|) of every member, (K, 1); NaN where one of them is zero.

    Two of them are reported. `turn` = cos(v_t, v_before) compares the fields of two consecutive diagnoses: 1 for
    the same direction, 0 for a rotation by 90 degrees, -1 for a reversal. For two random points on a circle its
    mean is 0. `path` compares the field with the displacement from the initial parameters,

        path = cos(-v(x_t), x_t - x_0),

    which is the path-angle of Berard et al. 2020, arXiv:1906.04848, section 4 (c(alpha) at alpha = 1, the
    path being the straight line from the initial to the current parameters): 1 for a movement along the line,
    0 for a movement orthogonal to it, as in a rotation, and below 0 for a movement back to the start.
    """
    return a.dot(b) / (a.dot(a).sqrt() * b.dot(b).sqrt())
