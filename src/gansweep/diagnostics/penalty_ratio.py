"""Ratio of the penalties' gradient to the game's gradient in the discriminator."""

from __future__ import annotations

import torch
from torch import Tensor

from gansweep.dynamics.position import Both


def penalty_ratio(v: Both, of_penalties: Both) -> Tensor:
    """Return |grad_psi P| / |grad_psi (L_D - P)| of every member, (K, 1), where P is the sum of its penalties.

    If it is far above 1, the penalties dominate the discriminator's update; far below 1, they have no effect. The
    ratio is ours. It depends on the weights lambda of arXiv:1704.00028, eq. 3, and gamma of arXiv:1801.04406, eq. 9.

    Args:
        v: the field; its second part is the gradient of L_D.
        of_penalties: gradients of the penalties, a part of v.
    """
    p = Both((), of_penalties.discriminator)
    game = Both((), v.discriminator) - p
    return torch.sqrt(p.dot(p) / game.dot(game))
