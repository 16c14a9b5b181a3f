"""Schedule-Free AdamW optimizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import Slot, UpdateContext
from gansweep.optimizers.adam import Adam
from gansweep.optimizers.schedule_free_sgd import average


@dataclass(frozen=True)
class ScheduleFreeAdamW:
    """Schedule-Free AdamW: `ScheduleFreeSGD` with Adam's second-moment scaling.

        v <- beta2 v + (1 - beta2) g(y)^2
        gamma = lr sqrt(1 - beta2^t)
        z <- z - gamma g(y) / (sqrt(v) + eps) - gamma weight_decay y
        x <- (1 - c) x + c z,   c = gamma^2 / (sum of all gamma^2 so far)
        y <- (1 - beta1) z + beta1 x

    Defazio et al. 2024, arXiv:2405.15682, algorithm 1; its warm-up is `schedule=warmup` here. Newer
    versions of the authors' code apply the bias correction to v instead of gamma, which gives the
    first steps and their weight decay a larger weight than algorithm 1.

    Args:
        betas: beta1, interpolation weight of y between z (0) and x (1), in the role of Adam's momentum;
            beta2, decay rate of v.
        eps: added to the square root of v.
        weight_decay: weight decay, evaluated at y.
    """

    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    elementwise: ClassVar[bool] = True

    def __post_init__(self) -> None:
        checked = Adam(self.betas, self.eps, self.weight_decay)
        object.__setattr__(self, "betas", checked.betas)

    @property
    def memory(self) -> float:
        """Return beta1, the interpolation weight of y between z and x."""
        return self.betas[0]

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Return the initial z, x and v (K, P), and the sum of gamma^2 (K,)."""
        points = {"z": theta.clone(), "x": theta.clone(), "v": torch.zeros_like(theta)}
        return points | {"weight_sum": theta.new_zeros(len(theta))}

    def evaluated(self, theta: Tensor, state: Mapping[str, Tensor]) -> Tensor:
        """Return the average x (K, P)."""
        return state["x"]

    def update(self, theta: Tensor, grad: Tensor, state: Mapping[str, Tensor], context: UpdateContext) -> None:
        """Update `theta` (K, P) and `state` in place by one step."""
        beta2 = self.betas[1]
        gamma = (context.lr * (1 - beta2**context.step).sqrt()).to(theta.dtype)
        v = state["v"].mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        z = state["z"].addcdiv_(grad * gamma, v.sqrt().add_(self.eps), value=-1)
        if self.weight_decay:
            z.addcmul_(theta, gamma, value=-self.weight_decay)
        average(theta, z, state["x"], state["weight_sum"], gamma, context.scheduled(self.betas[0]))
