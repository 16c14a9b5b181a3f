"""Norm of the game's vector field."""

from __future__ import annotations

import torch
from torch import Tensor

from gansweep.dynamics.position import Both


def field_norm(v: Both) -> Tensor:
    """Return |v|, |v_G| and |v_D| of every member, (K, 3).

        |v| = sqrt(|grad_theta L_G|^2 + |grad_psi L_D|^2)

    It is zero at the stationary points of the game (Mescheder et al. 2017, arXiv:1705.10461), where both gradients
    vanish. A small |v_G| with a large |v_D| indicates vanishing gradients of the generator.
    """
    squares = torch.cat([part.dot(part) for part in (Both(v.generator, ()), Both((), v.discriminator))], 1)
    return torch.cat([squares.sum(1, keepdim=True), squares], 1).sqrt()
