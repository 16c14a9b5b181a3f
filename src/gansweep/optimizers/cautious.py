"""Cautious optimizers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gansweep.interfaces import Slot, UpdateContext
from gansweep.layers.layer import row_sum
from gansweep.optimizers.wrapper import Wrapper
from gansweep.update_rule import columns


@dataclass(frozen=True)
class Cautious(Wrapper):
    """Cautious optimizer: only the entries of an update that agree with the sign of the current gradient.

        u = update of the rule `of`,   phi = 1 where -u g > 0, else 0
        theta <- theta + u phi n / (||phi||_1 + 1)

    Liang et al. 2024, arXiv:2411.16085, algorithm 1. n is the number of entries of a parameter tensor, as in the
    authors' code; the paper scales all parameters alike. Decoupled weight decay of the wrapped rule is part of u,
    while the authors' code applies it without the mask.

    Args:
        of: the wrapped rule, such as Adam or Lion.
    """

    @property
    def elementwise(self) -> bool:
        """False: the scale depends on all entries of a parameter tensor."""
        return False

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Return the wrapped rule's initial state."""
        return self.state_inside(slots, theta)

    def update(self, theta: Tensor, grad: Tensor, state: Mapping[str, Tensor], context: UpdateContext) -> None:
        """Update `theta` (K, P) and `state` in place by one step."""
        before = theta.clone()
        self.update_inside(theta, grad, state, context)
        u = theta - before
        agrees = (u * grad < 0).to(theta.dtype)
        for _, span in columns(context.slots):
            agrees[:, span] *= (span.stop - span.start) / (row_sum(agrees[:, span]) + 1)
        # A product with the mask would turn the NaN of a diverged member into 0.
        theta.copy_(torch.where(u.isfinite(), before + u * agrees, u))
