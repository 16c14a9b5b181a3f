"""Share of the Jacobian's antisymmetric part along the vector field."""

from __future__ import annotations

from torch import Tensor

from gansweep.dynamics.position import Both


def antisymmetric(forward: Both, back: Both) -> Tensor:
    """Return the share of the Jacobian's antisymmetric part in its product with the field, (K, 1).

        share = |A v|^2 / (|S v|^2 + |A v|^2),   J = S + A,  S = (J + J^T) / 2,  A = (J - J^T) / 2

    Balduzzi et al. 2018, arXiv:1802.05642, decompose a game into a potential part S and a Hamiltonian part A.
    The share along v is ours. It is 0 for a common loss and 1 for the bilinear game. It measures the game along
    the direction of the training. The largest eigenvalues need not do so: with a penalty they are often real and
    due to the discriminator's own curvature.

    Args:
        forward: J v.
        back: J^T v.
    """
    symmetric, turning = forward + back, forward - back
    along, across = symmetric.dot(symmetric), turning.dot(turning)
    return across / (along + across)
