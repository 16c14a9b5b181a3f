"""How much of the game turns the field where it points."""

from __future__ import annotations

from torch import Tensor

from gansweep.dynamics.position import Both


def antisymmetric(forward: Both, back: Both) -> Tensor:
    """Return the share of the Jacobian's antisymmetric part in its product with the field, (K, 1).

        share = |A v|^2 / (|S v|^2 + |A v|^2),   J = S + A,  S = (J + J^T) / 2,  A = (J - J^T) / 2

    Balduzzi et al. 2018, arXiv:1802.05642, split a game into S, by which it is a
    descent, and A, by which it circles; the share along v is ours. 0 is a shared loss, 1 the bilinear
    game. It sees the way that the training goes, which the largest eigenvalues need not: under a penalty
    they are often the discriminator's own curvature, and real.

    Args:
        forward: J v.
        back: J^T v.
    """
    symmetric, turning = forward + back, forward - back
    along, across = symmetric.dot(symmetric), turning.dot(turning)
    return across / (along + across)
