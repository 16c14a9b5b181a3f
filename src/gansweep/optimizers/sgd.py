"""Stochastic gradient descent, with or without momentum."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import Beta, Slot


@dataclass(frozen=True)
class SGD:
    """Gradient descent with momentum, as `torch.optim.SGD`.

        g <- g + weight_decay theta
        v <- momentum v + (1 - dampening) g,   the first v is g itself
        theta <- theta - lr v,   or theta - lr (g + momentum v) with nesterov

    Polyak 1964; Sutskever et al. 2013 for nesterov. The rate in force multiplies the whole
    buffer, so a schedule acts on past gradients too. Without momentum v is g and nothing is kept.

    Args:
        momentum: fraction of the buffer that is kept.
        dampening: fraction of the gradient that does not enter the buffer, from the second step.
        nesterov: look ahead by one step of the buffer; needs momentum and no dampening.
        weight_decay: pull to the origin, added to the gradient.
    """

    momentum: float = 0.0
    dampening: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    elementwise: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum={self.momentum}: expected 0 <= momentum < 1")
        if not 0 <= self.dampening <= 1:
            raise ValueError(f"dampening={self.dampening}: expected 0 <= dampening <= 1")
        if not 0 <= self.weight_decay < math.inf:
            raise ValueError(f"weight_decay={self.weight_decay}: expected a number >= 0")
        if self.nesterov and (self.momentum == 0 or self.dampening != 0):
            raise ValueError(
                f"nesterov={self.nesterov}: expected momentum > 0 and dampening = 0 with it, "
                f"not momentum={self.momentum} and dampening={self.dampening}"
            )

    @property
    def memory(self) -> float:
        """Return the momentum."""
        return self.momentum

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Make the momentum buffer (K, P) if there is momentum."""
        return {"momentum": torch.zeros_like(theta)} if self.momentum else {}

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
        g = gradient.add(theta, alpha=self.weight_decay) if self.weight_decay else gradient
        if self.momentum:
            v = state["momentum"].mul_(self.momentum if beta is None else beta.now)
            if self.dampening:
                v.addcmul_(g, 1 - self.dampening * (step > 1).to(theta.dtype))
            else:
                v.add_(g)
            if self.nesterov and beta is not None:
                g = g.addcmul(v, beta.now)
            else:
                g = g.add(v, alpha=self.momentum) if self.nesterov else v
        theta.addcmul_(g, lr.to(theta.dtype), value=-1)
