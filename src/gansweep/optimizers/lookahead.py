"""Lookahead optimizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gansweep.interfaces import RunLength, Slot, UpdateContext
from gansweep.optimizers.wrapper import Wrapper


@dataclass(frozen=True)
class Lookahead(Wrapper):
    """Lookahead: slow weights that are interpolated towards the fast weights every k steps.

        theta <- theta + update of the rule `of`
        every k steps:   slow <- slow + alpha (theta - slow),   theta <- slow

    Zhang et al. 2019, arXiv:1907.08610, algorithm 1. As in the paper, the slow weights are evaluated.
    With this rule and the same k for both players and one critic step per generator step, it is
    Lookahead-minmax (Chavdarova et al. 2021, arXiv:2006.14567, algorithm 1), exactly with
    `dynamics=simultaneous`. With alternating updates, Lookahead-minmax resets both players after the
    generator's k-th update; here the discriminator is reset after its own k-th update, before the
    generator's update. With n critic steps, `optimizer_d.k` has to be n times the generator's k to
    reset both players in the same step.

    Args:
        of: the rule that updates the fast weights. Its state is not reset.
        k: updates of this player between two resets to the slow weights.
        alpha: step size of the slow weights; 1 gives the wrapped rule unchanged.
    """

    k: int = 5
    alpha: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.k < 1:
            raise ValueError(f"k={self.k}: expected a whole number, at least 1")
        if not 0 < self.alpha <= 1:
            raise ValueError(f"alpha={self.alpha}: expected 0 < alpha <= 1")

    def without_effect(self, length: RunLength) -> list[str]:
        """Return a warning if the run has fewer than k updates: the initial parameters are evaluated then."""
        warning = f"k={self.k}: the player has {length.updates} updates, so the slow weights keep their initial values"
        return super().without_effect(length) + [warning] * (self.k > length.updates)

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Return the slow weights, a copy of theta (K, P), and the wrapped rule's initial state."""
        return {"slow": theta.clone()} | self.state_inside(slots, theta)

    def evaluated(self, theta: Tensor, state: Mapping[str, Tensor]) -> Tensor:
        """Return the slow weights (K, P)."""
        return state["slow"]

    def update(self, theta: Tensor, grad: Tensor, state: Mapping[str, Tensor], context: UpdateContext) -> None:
        """Update `theta` (K, P) and `state` in place by one step."""
        self.update_inside(theta, grad, state, context)
        reset = context.step % self.k == 0  # computed on the device, without synchronisation
        slow = state["slow"]
        slow.copy_(torch.where(reset, slow.lerp(theta, self.alpha), slow))
        theta.copy_(torch.where(reset, slow, theta))
