"""NAdam optimizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import Slot, UpdateContext
from gansweep.optimizers.adam import check_not_negative, checked_betas


@dataclass(frozen=True)
class NAdam:
    """NAdam: Adam with Nesterov momentum, as `torch.optim.NAdam`.

        g <- g + weight_decay theta
        mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2)
        m <- beta1 m + (1 - beta1) g,   v <- beta2 v + (1 - beta2) g^2
        m_hat = mu_{t+1} m / (1 - mu_1 ... mu_{t+1}) + (1 - mu_t) g / (1 - mu_1 ... mu_t)
        theta <- theta - lr m_hat / (sqrt(v / (1 - beta2^t)) + eps)

    Dozat 2016, "Incorporating Nesterov Momentum into Adam", algorithm 2, with the momentum schedule
    of Sutskever et al. 2013; mu starts near beta1 / 2.

    Args:
        betas: decay rates of m and v.
        eps: added to the square root of the bias-corrected v.
        weight_decay: L2 penalty, added to the gradient.
        momentum_decay: rate at which mu increases towards beta1.
        decoupled_weight_decay: apply theta <- (1 - lr weight_decay) theta before the step, as in
            AdamW, instead of the L2 penalty.
    """

    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    momentum_decay: float = 0.004
    decoupled_weight_decay: bool = False
    elementwise: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "betas", checked_betas(self.betas))
        check_not_negative(self, "eps", "weight_decay", "momentum_decay")

    @property
    def memory(self) -> float:
        """Return beta1."""
        return self.betas[0]

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Return the initial moments, zeros (K, P), and the running product of mu, ones (K,)."""
        moments = {name: torch.zeros_like(theta) for name in ("m", "v")}
        return moments | {"mu_product": theta.new_ones(len(theta))}

    def update(self, theta: Tensor, grad: Tensor, state: Mapping[str, Tensor], context: UpdateContext) -> None:
        """Update `theta` (K, P) and `state` in place by one step."""
        lr, t, beta2 = context.lr, context.step, self.betas[1]
        beta1 = context.scheduled(self.betas[0])
        g = grad
        if self.weight_decay and self.decoupled_weight_decay:
            theta.mul_((1 - self.weight_decay * lr).to(theta.dtype))
        elif self.weight_decay:
            g = grad.add(theta, alpha=self.weight_decay)
        mu, next_mu = self._mu(beta1, t), self._mu(beta1, t + 1)
        product = state["mu_product"].mul_(mu[:, 0].to(theta.dtype))[:, None]
        m = state["m"].lerp_(g, 1 - beta1)
        v = state["v"].mul_(beta2).addcmul_(g, g, value=1 - beta2)
        m_factor = (lr * next_mu / (1 - product * next_mu)).to(theta.dtype)
        g_factor = (lr * (1 - mu) / (1 - product)).to(theta.dtype)
        correction = (1 - beta2**t).rsqrt().to(theta.dtype)
        theta.addcdiv_((m * m_factor).addcmul_(g, g_factor), v.sqrt().mul_(correction).add_(self.eps), value=-1)

    def _mu(self, beta1: float | Tensor, t: Tensor) -> Tensor:
        return beta1 * (1 - 0.5 * 0.96 ** (t * self.momentum_decay))
