"""Adam that finds its rate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import Beta, Outlook, Slot
from gansweep.layers.row_sum import row_sum
from gansweep.optimizers.adam import Adam

SMALL = 0.01  # rates that are another rule's


@dataclass(frozen=True)
class Prodigy:
    """Adam in units of d, an estimate of the distance to the solution that only grows.

        m <- beta1 m + (1 - beta1) d g,   v <- beta2 v + (1 - beta2) d^2 g^2
        r <- sqrt(beta2) r + (1 - sqrt(beta2)) lr d^2 <g, theta_0 - theta>
        s <- sqrt(beta2) s + (1 - sqrt(beta2)) lr d^2 g
        theta <- theta - lr d m / (sqrt(v) + d eps)
        d <- max(d, r / |s|_1)

    Mishchenko and Defazio 2023, arXiv:2306.06101, algorithm 4. Each member has its own d, from
    its whole row. The rate multiplies what is found: `lr=1` with any schedule is the paper's
    setting, and gansweep's usual 1e-4 would keep it from moving.

    Args:
        betas: memory of m and of v; r and s have the root of the latter.
        eps: added to the root of v, in units of d.
        weight_decay: fraction that a parameter loses per step and unit of lr d, as AdamW.
        d0: first d, far below any sensible rate.
    """

    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    d0: float = 1e-6
    elementwise: ClassVar[bool] = False

    def __post_init__(self) -> None:
        checked = Adam(self.betas, self.eps, self.weight_decay)
        object.__setattr__(self, "betas", checked.betas)
        if not 0 < self.d0 < math.inf:
            raise ValueError(f"d0={self.d0}: expected a number above 0")

    def remarks(self, outlook: Outlook) -> list[str]:
        """Say if the rate multiplies what is found by next to nothing."""
        small = f"lr={outlook.lr:g}: it finds its own rate and is multiplied by this one, the paper has lr=1"
        return [small] * (outlook.lr < SMALL)

    @property
    def memory(self) -> float:
        """Return beta1."""
        return self.betas[0]

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Make m, v, s and theta_0 (K, P), and r and d (K, 1)."""
        rows = {name: torch.zeros_like(theta) for name in ("m", "v", "s")}
        one = theta.new_zeros(len(theta), 1)
        return rows | {"start": theta.clone(), "r": one, "d": one + self.d0}

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
        beta1, beta2 = self.betas
        beta3 = math.sqrt(beta2)
        rate, d = lr.to(theta.dtype), state["d"]
        if beta is None:
            m = state["m"].mul_(beta1).addcmul_(gradient, d, value=1 - beta1)
        else:
            m = state["m"].mul_(beta.now).addcmul_(gradient, d * (1 - beta.now))
        scaled = gradient * d
        v = state["v"].mul_(beta2).addcmul_(scaled, scaled, value=1 - beta2)
        # In units of d0^2, which cancel in r / |s|_1: the paper's own numbers are tiny.
        weight = (1 - beta3) * rate * (d / self.d0) ** 2
        r = state["r"].mul_(beta3).add_(weight * row_sum(gradient * (state["start"] - theta)))
        s = state["s"].mul_(beta3).addcmul_(gradient, weight)
        if self.weight_decay:
            theta.mul_(1 - self.weight_decay * rate * d)
        theta.addcdiv_(m * (rate * d), v.sqrt().add_(d * self.eps), value=-1)
        torch.maximum(d, r / row_sum(s.abs()).clamp(min=torch.finfo(s.dtype).tiny), out=d)
