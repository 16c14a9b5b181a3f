"""How far the game is from standing still."""

from __future__ import annotations

import torch
from torch import Tensor

from gansweep.dynamics.position import Both


def field_norm(v: Both) -> Tensor:
    """Return |v|, |v_G| and |v_D| of every member, (K, 3).

        |v| = sqrt(|grad_theta L_G|^2 + |grad_psi L_D|^2)

    It is zero where neither player's loss has a slope, at the stationary points of Mescheder et al. 2017,
    arXiv:1705.10461; a small |v_G| beside a large |v_D| is a generator that learns nothing.
    """
    squares = torch.cat([one.dot(one) for one in (Both(v.generator, ()), Both((), v.discriminator))], 1)
    return torch.cat([squares.sum(1, keepdim=True), squares], 1).sqrt()
