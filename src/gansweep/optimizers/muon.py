"""Momentum made orthogonal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from gansweep.interfaces import Beta, Slot
from gansweep.optimizers.adamw import AdamW
from gansweep.optimizers.columns import columns

A, B, C = 3.4445, -4.7750, 2.0315
TINY = 1e-7
MULTIPLE = 8  # sizes at which the bits of a product depend on nothing else, see layers/linear.py


@dataclass(frozen=True)
class Muon:
    """Move hidden matrices W by their momentum with all singular values near 1, the rest by AdamW.

        m <- momentum m + (1 - momentum) g,   u = (1 - momentum) g + momentum m
        W <- (1 - lr weight_decay) W - lr sqrt(max(1, rows / columns)) newton_schulz(u)

    Jordan et al. 2024, https://kellerjordan.github.io/posts/muon, and `SingleDeviceMuonWithAuxAdam`
    of github.com/KellerJordan/Muon. A kernel (n, ...) counts as a matrix of n rows. The output
    layer, biases and normalisations go to AdamW. Iterates are in the parameters' precision,
    where the authors' are in bf16.

    Args:
        momentum: memory of m.
        nesterov: look ahead by one gradient; u = m without.
        num_iterations: of Newton-Schulz.
        weight_decay: fraction that a parameter loses per step and unit of its rate.
        adam_rate: rate of AdamW per unit of lr; the authors use 3e-4 beside 0.02.
        betas: of AdamW.
        eps: of AdamW.
    """

    momentum: float = 0.95
    nesterov: bool = True
    num_iterations: int = 5
    weight_decay: float = 0.0
    adam_rate: float = 0.015
    betas: tuple[float, float] = (0.9, 0.95)
    eps: float = 1e-10
    elementwise: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "betas", self._adamw.betas)
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum={self.momentum}: expected 0 <= momentum < 1")
        if self.num_iterations < 1:
            raise ValueError(f"num_iterations={self.num_iterations}: expected a whole number, at least 1")
        if not 0 <= self.adam_rate < math.inf:
            raise ValueError(f"adam_rate={self.adam_rate}: expected a number >= 0")

    @cached_property
    def _adamw(self) -> AdamW:
        return AdamW(self.betas, self.eps, self.weight_decay)

    @property
    def memory(self) -> float:
        """Return the momentum of hidden matrices; a schedule leaves AdamW's betas as they are."""
        return self.momentum

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Make room for each slot: a momentum (K, n) for a hidden matrix, AdamW's moments for others."""
        room, hidden = {}, hidden_matrices(slots)
        for slot, at in columns(slots):
            own = theta[:, at]
            inner = {"momentum": torch.zeros_like(own)} if slot in hidden else self._adamw.state((slot,), own)
            room |= {f"{slot.name}/{name}": value for name, value in inner.items()}
        return room

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
        hidden, momentum = hidden_matrices(slots), self.momentum if beta is None else beta.now
        for slot, at in columns(slots):
            own, g = theta[:, at], gradient[:, at]
            if slot in hidden:
                self._turn(slot, own, g, state[f"{slot.name}/momentum"], lr.to(theta.dtype), momentum)
            else:
                inner = {name: state[f"{slot.name}/{name}"] for name in ("m", "v")}
                self._adamw.update((slot,), own, g, inner, lr * self.adam_rate, step)

    def _turn(self, slot: Slot, theta: Tensor, g: Tensor, m: Tensor, rate: Tensor, momentum: float | Tensor) -> None:
        """Move one matrix of every member, (K, n)."""
        m.lerp_(g, 1 - momentum)
        u = (g.lerp(m, momentum) if self.nesterov else m).unflatten(1, (slot.shape[0], -1))
        o = newton_schulz(u, self.num_iterations)
        longer = math.sqrt(max(1.0, u.shape[1] / u.shape[2]))
        theta.mul_(1 - self.weight_decay * rate).addcmul_(o.flatten(1), rate, value=-longer)


def newton_schulz(g: Tensor, num_iterations: int) -> Tensor:
    """Push the singular values of matrices (..., n, m) towards 1.

    X <- g / |g|,   then  X <- A X + B (X X^T) X + C (X X^T)^2 X  again and again

    After five of them, those that were at least a 300th of |g| are between 0.68 and 1.21; a
    singular value near zero stays there.
    """
    n, m = g.shape[-2:]
    x = F.pad(g, (0, -m % MULTIPLE, 0, -n % MULTIPLE))
    x = x / torch.linalg.vector_norm(x, dim=(-2, -1), keepdim=True).clamp(min=TINY)
    x = x if n <= m else x.mT.contiguous()
    for _ in range(num_iterations):
        gram = x @ x.mT
        x = A * x + (B * gram + C * (gram @ gram)) @ x
    x = x if n <= m else x.mT
    return x[..., :n, :m]


def hidden_matrices(slots: Sequence[Slot]) -> Sequence[Slot]:
    """Choose the weights of at least two dimensions, without the last, which is the output's."""
    return [slot for slot in slots if slot.role == "weight" and len(slot.shape) > 1][:-1]
