"""Muon optimizer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from gansweep.interfaces import Slot, UpdateContext
from gansweep.layers.linear import MULTIPLE
from gansweep.optimizers.adamw import AdamW
from gansweep.update_rule import columns

A, B, C = 3.4445, -4.7750, 2.0315
TINY = 1e-7


@dataclass(frozen=True)
class Muon:
    """Muon: orthogonalised momentum for hidden weight matrices W, AdamW for all other parameters.

        m <- momentum m + (1 - momentum) g,   u = (1 - momentum) g + momentum m
        W <- (1 - lr weight_decay) W - lr sqrt(max(1, rows / columns)) newton_schulz(u)

    Jordan et al. 2024, https://kellerjordan.github.io/posts/muon, and `SingleDeviceMuonWithAuxAdam`
    of github.com/KellerJordan/Muon. A convolution kernel (n, ...) is reshaped to a matrix of n rows.
    The output layer, biases and normalisation parameters use AdamW. The Newton-Schulz iteration runs
    in the precision of the parameters; the authors' code uses bf16.

    Args:
        momentum: decay rate of m.
        nesterov: use Nesterov momentum as in the formula; False: u = m.
        num_iterations: Newton-Schulz iterations.
        weight_decay: decoupled weight decay, multiplied by the learning rate of the parameter.
        adam_rate: learning rate of AdamW divided by lr; the authors use 3e-4 for AdamW and 0.02 for Muon.
        betas: betas of AdamW.
        eps: eps of AdamW.
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
        """Return the momentum of the hidden matrices; a schedule does not change AdamW's betas."""
        return self.momentum

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Return the initial state per slot: a momentum (K, n) for a hidden matrix, AdamW's moments for others."""
        state, hidden = {}, hidden_matrices(slots)
        for slot, span in columns(slots):
            parameter = theta[:, span]
            if slot in hidden:
                inner = {"momentum": torch.zeros_like(parameter)}
            else:
                inner = self._adamw.state((slot,), parameter)
            state |= {f"{slot.name}/{name}": value for name, value in inner.items()}
        return state

    def update(self, theta: Tensor, grad: Tensor, state: Mapping[str, Tensor], context: UpdateContext) -> None:
        """Update `theta` (K, P) and `state` in place by one step."""
        hidden, momentum = hidden_matrices(context.slots), context.scheduled(self.momentum)
        rate = context.lr.to(theta.dtype)
        of_adamw = context._replace(lr=context.lr * self.adam_rate, beta=None)
        for slot, span in columns(context.slots):
            parameter, g = theta[:, span], grad[:, span]
            if slot in hidden:
                m = state[f"{slot.name}/momentum"]
                self._update_matrix(slot, parameter, g, m, rate, momentum)
            else:
                inner = {name: state[f"{slot.name}/{name}"] for name in ("m", "v")}
                self._adamw.update(parameter, g, inner, of_adamw)

    def _update_matrix(
        self, slot: Slot, theta: Tensor, g: Tensor, m: Tensor, rate: Tensor, momentum: float | Tensor
    ) -> None:
        """Update one hidden matrix of every member, (K, n), in place."""
        m.lerp_(g, 1 - momentum)
        u = (g.lerp(m, momentum) if self.nesterov else m).unflatten(1, (slot.shape[0], -1))
        o = newton_schulz(u, self.num_iterations)
        scale = math.sqrt(max(1.0, u.shape[1] / u.shape[2]))
        theta.mul_(1 - self.weight_decay * rate).addcmul_(o.flatten(1), rate, value=-scale)


def newton_schulz(g: Tensor, num_iterations: int) -> Tensor:
    """Return matrices (..., n, m) with the singular vectors of `g` and singular values near 1.

    X <- g / |g|,   then  X <- A X + B (X X^T) X + C (X X^T)^2 X,   num_iterations times

    After five iterations, singular values of at least |g| / 300 are mapped to values between 0.68 and
    1.21. Singular values near zero stay near zero.
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
    """Return the weight slots of at least two dimensions, except the last one (the output layer)."""
    return [slot for slot in slots if slot.role == "weight" and len(slot.shape) > 1][:-1]
