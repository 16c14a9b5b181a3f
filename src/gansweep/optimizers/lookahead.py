"""k steps forward, one step back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gansweep.interfaces import Beta, Outlook, Slot
from gansweep.optimizers.around import Around


@dataclass(frozen=True)
class Lookahead(Around):
    """Let another rule go ahead k steps, then go on from a point on the way there.

        theta <- theta + what the rule `of` adds
        every k steps:   slow <- slow + alpha (theta - slow),   theta <- slow

    Zhang et al. 2019, arXiv:1907.08610, algorithm 1. It returns the slow weights, so these are
    judged. With this rule and one k for both players, a critic step per generator step, it is
    Lookahead-minmax (Chavdarova et al. 2021, arXiv:2006.14567, algorithm 1): exactly with
    `dynamics=simultaneous`. Where players take turns, theirs go back after the generator's k-th
    update; here the discriminator goes back after its own, before it answers the generator. With
    n critic steps, `optimizer_d.k` has to be n times the generator's to go back in the same step.

    Args:
        of: the rule that goes ahead. What it remembers is kept.
        k: updates of this player from one pull back to the next.
        alpha: where to go on: 1 at the rule's own point, so that nothing is changed.
    """

    k: int = 5
    alpha: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.k < 1:
            raise ValueError(f"k={self.k}: expected a whole number, at least 1")
        if not 0 < self.alpha <= 1:
            raise ValueError(f"alpha={self.alpha}: expected 0 < alpha <= 1")

    def remarks(self, outlook: Outlook) -> list[str]:
        """Say if no pull back will happen; what is judged then is where the parameters started."""
        late = f"k={self.k}: the player has {outlook.updates} updates, so the slow weights stay where they start"
        return super().remarks(outlook) + [late] * (self.k > outlook.updates)

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Make the slow weights (K, P) and the other rule's state."""
        return {"slow": theta.clone()} | self.state_inside(slots, theta)

    def evaluated(self, theta: Tensor, state: Mapping[str, Tensor]) -> Tensor:
        """Return the slow weights (K, P)."""
        return state["slow"]

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
        self.step_inside(slots, theta, gradient, state, lr, step, beta)
        back = step % self.k == 0  # on the device: nobody waits for it
        slow = state["slow"]
        slow.copy_(torch.where(back, slow.lerp(theta, self.alpha), slow))
        theta.copy_(torch.where(back, slow, theta))
