"""Move as if the next gradient were this one again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gansweep.interfaces import Beta, Slot
from gansweep.optimizers.around import Around


@dataclass(frozen=True)
class Optimistic(Around):
    """Take another rule's step twice, and take the last one back.

        theta <- theta + 2 u_t - u_{t-1},   u_t what the rule `of` would add,  u_0 = 0

    Daskalakis et al. 2018, arXiv:1711.00141: around SGD it is its OMD, theta - 2 lr g_t + lr g_{t-1},
    which spirals into the saddle of x y that gradient descent spirals out of; around Adam it is
    algorithm 1, Optimistic Adam. What is taken back moved at its own rate and includes its decay.

    Args:
        of: the rule, whose step must begin where the parameters are.
    """

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Make the last step (K, P) and the other rule's state."""
        return {"last_step": torch.zeros_like(theta)} | self.state_inside(slots, theta)

    def update(
        self,
        slots: Sequence[Slot],
        theta: Tensor,
        gradient: Tensor,
        state: Mapping[str, Tensor],
        lr: Tensor,
        step: Tensor,
        beta: Beta | None = None,
    ) -> None:
        """Move `theta` (K, P) downhill in place."""
        before = theta.clone()
        self.step_inside(slots, theta, gradient, state, lr, step, beta)
        u = theta - before
        theta.add_(u).sub_(state["last_step"])
        state["last_step"].copy_(u)
