"""Adam optimizer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import Slot, UpdateContext


@dataclass(frozen=True)
class Adam:
    """Adam, as `torch.optim.Adam`.

        g <- g + weight_decay theta
        m <- beta1 m + (1 - beta1) g
        v <- beta2 v + (1 - beta2) g^2
        theta <- theta - lr m_hat / (sqrt(v_hat) + eps),   m_hat = m / (1 - beta1^t),  v_hat likewise

    Kingma and Ba 2015, arXiv:1412.6980, algorithm 1, with t = 1 in the first step.

    Args:
        betas: decay rates of m and v. The WGAN-GP paper uses (0, 0.9), the DCGAN paper (0.5, 0.999).
        eps: added to the square root of v_hat.
        weight_decay: L2 penalty, added to the gradient and therefore also divided by sqrt(v_hat);
            `AdamW` has decoupled decay.
        amsgrad: use the elementwise maximum of v so far (Reddi et al. 2018, arXiv:1904.09237,
            algorithm 2).
    """

    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    amsgrad: bool = False
    elementwise: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "betas", checked_betas(self.betas))
        check_not_negative(self, "eps", "weight_decay")

    @property
    def memory(self) -> float:
        """Return beta1."""
        return self.betas[0]

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Return the initial moments m and v, and v_max with amsgrad, zeros (K, P)."""
        names = ["m", "v"] + ["v_max"] * self.amsgrad
        return {name: torch.zeros_like(theta) for name in names}

    def update(self, theta: Tensor, grad: Tensor, state: Mapping[str, Tensor], context: UpdateContext) -> None:
        """Update `theta` (K, P) and `state` in place by one step."""
        lr, t, (beta1, beta2) = context.lr, context.step, self.betas
        beta1, product = context.beta or (beta1, beta1**t)
        g = grad.add(theta, alpha=self.weight_decay) if self.weight_decay else grad
        m = state["m"].lerp_(g, 1 - beta1)
        v = state["v"].mul_(beta2).addcmul_(g, g, value=1 - beta2)
        if self.amsgrad:
            v = torch.maximum(state["v_max"], v, out=state["v_max"])
        # In float32, 1 - 0.999^1 would have only a few correct digits, so the bias corrections are
        # computed from t in float64 and applied as factors (K, 1).
        rate = (lr / (1 - product)).to(theta.dtype)
        correction = (1 - beta2**t).rsqrt().to(theta.dtype)
        theta.addcdiv_(m * rate, v.sqrt().mul_(correction).add_(self.eps), value=-1)


def check_not_negative(rule: object, *names: str) -> None:
    """Raise ValueError unless these arguments of a rule are numbers of at least 0."""
    for name in names:
        if not 0 <= getattr(rule, name) < math.inf:
            raise ValueError(f"{name}={getattr(rule, name)}: expected a number >= 0")


def checked_betas(betas: Sequence[float], count: int = 2) -> tuple[float, ...]:
    """Return `betas` (a list when read from YAML) as a tuple.

    Raises:
        ValueError: the number of values is not `count`, or a value is outside [0, 1).
    """
    if len(betas) != count or not all(0 <= beta < 1 for beta in betas):
        expected = {2: "two", 3: "three"}[count]
        raise ValueError(f"betas={list(betas)}: expected {expected} numbers, 0 <= beta < 1")
    return tuple(betas)
