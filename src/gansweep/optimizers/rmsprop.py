"""RMSprop optimizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import Slot, UpdateContext
from gansweep.optimizers.adam import check_not_negative


@dataclass(frozen=True)
class RMSprop:
    """RMSprop: gradient divided by the root of its running mean square, as `torch.optim.RMSprop`.

        g <- g + weight_decay theta
        s <- alpha s + (1 - alpha) g^2
        theta <- theta - lr g / (sqrt(s) + eps)

    Tieleman and Hinton 2012, Coursera lecture 6.5. s starts at zero without bias correction: the
    first step has size lr / sqrt(1 - alpha), 10 lr for alpha = 0.99. eps is added outside the square
    root; inside, gradients far below sqrt(eps) would give almost no update.

    Args:
        alpha: decay rate of the running mean square s.
        eps: added to the square root of s.
        momentum: if > 0, v <- momentum v + g / (sqrt(s) + eps) and theta <- theta - lr v.
        centered: subtract the square of the running mean gradient from s (Graves 2013,
            arXiv:1308.0850, eq. 40); the difference may round below zero, as in PyTorch.
        weight_decay: L2 penalty, added to the gradient.
        eps_inside: divide by sqrt(s + eps), as in TensorFlow and in the C++ code of cfg-gan (eps 1e-37).
        decoupled: multiply theta by 1 - lr weight_decay instead of adding the L2 penalty to the gradient.
    """

    alpha: float = 0.99
    eps: float = 1e-8
    momentum: float = 0.0
    centered: bool = False
    weight_decay: float = 0.0
    eps_inside: bool = False
    decoupled: bool = False
    elementwise: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name in ("alpha", "momentum"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected 0 <= {name} < 1")
        check_not_negative(self, "eps", "weight_decay")

    @property
    def memory(self) -> float:
        """Return the momentum."""
        return self.momentum

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Return the initial running means that the settings need, zeros (K, P)."""
        names = ["mean_square"] + ["mean"] * self.centered + ["momentum"] * (self.momentum > 0)
        return {name: torch.zeros_like(theta) for name in names}

    def update(self, theta: Tensor, grad: Tensor, state: Mapping[str, Tensor], context: UpdateContext) -> None:
        """Update `theta` (K, P) and `state` in place by one step."""
        rate = context.lr.to(theta.dtype)
        g = grad.add(theta, alpha=self.weight_decay) if self.weight_decay and not self.decoupled else grad
        if self.weight_decay and self.decoupled:
            theta.mul_((1 - self.weight_decay * rate).to(theta.dtype))
        s = state["mean_square"].mul_(self.alpha).addcmul_(g, g, value=1 - self.alpha)
        square = s
        if self.centered:
            mean = state["mean"].lerp_(g, 1 - self.alpha)
            square = s.addcmul(mean, mean, value=-1)
        rms = square.add(self.eps).sqrt_() if self.eps_inside else square.sqrt().add_(self.eps)
        if self.momentum:
            v = state["momentum"].mul_(context.scheduled(self.momentum)).addcdiv_(g, rms)
            theta.addcmul_(v, rate, value=-1)
        else:
            theta.addcdiv_(g * rate, rms, value=-1)
