"""Optimistic gradient method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gansweep.interfaces import Slot, UpdateContext
from gansweep.optimizers.wrapper import Wrapper


@dataclass(frozen=True)
class Optimistic(Wrapper):
    """Optimistic gradient method: twice the current update of a rule minus its previous update.

        theta <- theta + 2 u_t - u_{t-1},   u_t = update of the rule `of`,  u_0 = 0

    Daskalakis et al. 2018, arXiv:1711.00141. With SGD it is the paper's OMD, theta - 2 lr g_t + lr g_{t-1},
    which converges to the saddle point of x y, where gradient descent diverges. With Adam it is
    algorithm 1, Optimistic Adam. The previous update u_{t-1} has the learning rate of step t - 1 and
    includes weight decay.

    Args:
        of: the wrapped rule; rules that evaluate at averaged parameters are not accepted.
    """

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Return the previous update, zeros (K, P), and the wrapped rule's initial state."""
        return {"last_step": torch.zeros_like(theta)} | self.state_inside(slots, theta)

    def update(self, theta: Tensor, grad: Tensor, state: Mapping[str, Tensor], context: UpdateContext) -> None:
        """Update `theta` (K, P) and `state` in place by one step."""
        before = theta.clone()
        self.update_inside(theta, grad, state, context)
        u = theta - before
        theta.add_(u).sub_(state["last_step"])
        state["last_step"].copy_(u)
