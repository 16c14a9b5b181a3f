"""A step in units of the gradient's running size."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import Beta, Slot


@dataclass(frozen=True)
class RMSprop:
    """Divide the gradient by the root of its running mean square, as `torch.optim.RMSprop`.

        g <- g + weight_decay theta
        s <- alpha s + (1 - alpha) g^2
        theta <- theta - lr g / (sqrt(s) + eps)

    Tieleman and Hinton 2012, Coursera lecture 6.5. The mean starts at zero and is not corrected
    for it: the first step is lr / sqrt(1 - alpha), ten times the rate at 0.99. eps stands outside
    of the root; inside of it a gradient far below sqrt(eps) would hardly move anything.

    Args:
        alpha: memory of the running mean.
        eps: added to the root.
        momentum: with it v <- momentum v + g / (sqrt(s) + eps) and theta <- theta - lr v.
        centered: subtract the square of the running mean gradient from s (Graves 2013,
            arXiv:1308.0850, eq. 40); that difference may round below zero, as it may in torch.
        weight_decay: pull to the origin, added to the gradient.
        eps_inside: divide by sqrt(s + eps), as TensorFlow does and the C++ code of cfg-gan, with its eps of 1e-37.
    """

    alpha: float = 0.99
    eps: float = 1e-8
    momentum: float = 0.0
    centered: bool = False
    weight_decay: float = 0.0
    eps_inside: bool = False
    elementwise: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name in ("alpha", "momentum"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected 0 <= {name} < 1")
        for name in ("eps", "weight_decay"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)}: expected a number >= 0")

    @property
    def memory(self) -> float:
        """Return the momentum."""
        return self.momentum

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Make the running means (K, P) that the settings ask for."""
        names = ["mean_square"] + ["mean"] * self.centered + ["momentum"] * (self.momentum > 0)
        return {name: torch.zeros_like(theta) for name in names}

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
        rate = lr.to(theta.dtype)
        g = gradient.add(theta, alpha=self.weight_decay) if self.weight_decay else gradient
        s = state["mean_square"].mul_(self.alpha).addcmul_(g, g, value=1 - self.alpha)
        square = s
        if self.centered:
            mean = state["mean"].lerp_(g, 1 - self.alpha)
            square = s.addcmul(mean, mean, value=-1)
        size = square.add(self.eps).sqrt_() if self.eps_inside else square.sqrt().add_(self.eps)
        if self.momentum:
            v = state["momentum"].mul_(self.momentum if beta is None else beta.now).addcdiv_(g, size)
            theta.addcmul_(v, rate, value=-1)
        else:
            theta.addcdiv_(g * rate, size, value=-1)
