"""Stochastic gradient descent (SGD)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import ArgumentConflict, Slot, UpdateContext


@dataclass(frozen=True)
class SGD:
    """SGD with optional momentum, as `torch.optim.SGD`.

        g <- g + weight_decay theta
        v <- momentum v + (1 - dampening) g,   the first v is g itself
        theta <- theta - lr v,   or theta - lr (g + momentum v) with nesterov

    Polyak 1964; Sutskever et al. 2013 for nesterov. The current learning rate multiplies the whole
    buffer, so a schedule also scales past gradients. Without momentum, v = g and there is no state.

    Args:
        momentum: decay rate of the buffer v.
        dampening: the gradient enters the buffer with the factor 1 - dampening, from the second step on.
        nesterov: use Nesterov momentum; requires momentum > 0 and dampening = 0.
        weight_decay: L2 penalty, added to the gradient.
        decoupled: multiply theta by 1 - lr weight_decay instead (SGDW, Loshchilov and Hutter 2019, arXiv:1711.05101,
            algorithm 1, with the decay in units of the current learning rate).
    """

    momentum: float = 0.0
    dampening: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    decoupled: bool = False
    elementwise: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum={self.momentum}: expected 0 <= momentum < 1")
        if not 0 <= self.dampening <= 1:
            raise ValueError(f"dampening={self.dampening}: expected 0 <= dampening <= 1")
        if not 0 <= self.weight_decay < math.inf:
            raise ValueError(f"weight_decay={self.weight_decay}: expected a number >= 0")
        if self.nesterov and (self.momentum == 0 or self.dampening != 0):
            expected = "expected momentum > 0 and dampening = 0 with it"
            message = (
                f"nesterov={self.nesterov}: {expected}, not momentum={self.momentum} and dampening={self.dampening}"
            )
            raise ArgumentConflict(message, "nesterov", "momentum", "dampening")

    @property
    def memory(self) -> float:
        """Return the momentum."""
        return self.momentum

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Return the initial momentum buffer, zeros (K, P), if momentum > 0."""
        return {"momentum": torch.zeros_like(theta)} if self.momentum else {}

    def update(self, theta: Tensor, grad: Tensor, state: Mapping[str, Tensor], context: UpdateContext) -> None:
        """Update `theta` (K, P) and `state` in place by one step."""
        g = grad.add(theta, alpha=self.weight_decay) if self.weight_decay and not self.decoupled else grad
        if self.weight_decay and self.decoupled:
            theta.mul_((1 - self.weight_decay * context.lr).to(theta.dtype))
        if self.momentum:
            momentum = context.scheduled(self.momentum)
            v = state["momentum"].mul_(momentum)
            if self.dampening:
                v.addcmul_(g, 1 - self.dampening * (context.step > 1).to(theta.dtype))
            else:
                v.add_(g)
            if self.nesterov and context.beta is not None:
                g = g.addcmul(v, context.beta.now)
            else:
                g = g.add(v, alpha=self.momentum) if self.nesterov else v
        theta.addcmul_(g, context.lr.to(theta.dtype), value=-1)
