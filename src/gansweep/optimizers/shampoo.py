"""Shampoo optimizer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import Slot, UpdateContext
from gansweep.optimizers.matrices import along, gram, inverse_root, rows_of
from gansweep.update_rule import columns


@dataclass(frozen=True)
class Shampoo:
    """Shampoo: a preconditioner for each axis of a parameter tensor.

        L <- L + G G^T,   R <- R + G^T G,   L_0 = R_0 = eps I
        W <- W - lr L^(-1/4) G R^(-1/4)

    Gupta et al. 2018, arXiv:1802.09568, algorithm 1 for matrices, and algorithm 2 for tensors of k axes: every axis
    has a sum of its own, with the exponent -1 / (2 k). For a vector it is full-matrix AdaGrad. Axes longer than
    `max_size` have no preconditioner and do not count in k. The decay of the sums and of the momentum are additions
    of later code (Anil et al. 2020, arXiv:2002.09018).

    Memory and time: an axis of length n has two matrices (n, n) for each member, and an eigendecomposition every
    `every` updates, computed in float64. Where the rate depends on feedback, step counts are copied from the device.

    Args:
        eps: initial value of the diagonals; smaller eigenvalues, which a decay makes, count as eps.
        decay: decay rate of the sums; 1: no decay, as in the paper.
        momentum: decay rate of the mean of the gradients that is preconditioned; 0: the gradient.
        every: updates between two computations of the roots.
        max_size: longest axis with a preconditioner.
        weight_decay: L2 penalty, added to the gradient.
    """

    eps: float = 1e-4
    decay: float = 1.0
    momentum: float = 0.0
    every: int = 1
    max_size: int = 1024
    weight_decay: float = 0.0
    elementwise: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 0 < self.eps < math.inf:
            raise ValueError(f"eps={self.eps}: expected a number > 0")
        if not 0 < self.decay <= 1:
            raise ValueError(f"decay={self.decay}: expected 0 < decay <= 1")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum={self.momentum}: expected 0 <= momentum < 1")
        for name in ("every", "max_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected a whole number >= 1")
        if not 0 <= self.weight_decay < math.inf:
            raise ValueError(f"weight_decay={self.weight_decay}: expected a number >= 0")

    @property
    def memory(self) -> float:
        """Return the momentum."""
        return self.momentum

    def _axes(self, slot: Slot) -> list[int]:
        return [axis for axis, size in enumerate(slot.shape) if size <= self.max_size]

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Return the initial sums and roots (K, n, n) of every axis, and the momentum (K, P)."""
        state = {"momentum": torch.zeros_like(theta)} if self.momentum else {}
        for slot in slots:
            for axis in self._axes(slot):
                eye = torch.eye(slot.shape[axis], dtype=theta.dtype, device=theta.device).repeat(len(theta), 1, 1)
                state |= {f"{slot.name}/sum/{axis}": eye * self.eps, f"{slot.name}/root/{axis}": eye}
        return state

    def update(self, theta: Tensor, grad: Tensor, state: Mapping[str, Tensor], context: UpdateContext) -> None:
        """Update `theta` (K, P) and `state` in place by one step."""
        g = grad.add(theta, alpha=self.weight_decay) if self.weight_decay else grad
        mean, momentum = g, context.scheduled(self.momentum)
        if self.momentum:
            mean = state["momentum"].lerp_(g, 1 - momentum)
        steps = (context.on_host or context).step.flatten().tolist()
        due = [k for k, step in enumerate(steps) if (step - 1) % self.every == 0]
        rate = context.lr.to(theta.dtype)
        for slot, span in columns(context.slots):
            u, tensor, axes = (
                mean[:, span].unflatten(1, slot.shape),
                g[:, span].unflatten(1, slot.shape),
                self._axes(slot),
            )
            for axis in axes:
                total, root = state[f"{slot.name}/sum/{axis}"], state[f"{slot.name}/root/{axis}"]
                total.mul_(self.decay).add_(gram(tensor, axis))
                if due:
                    rows = rows_of(due, total)
                    root[rows] = inverse_root(total[rows], 2 * len(axes), self.eps)
                u = along(u, root, axis)
            theta[:, span].addcmul_(u.flatten(1), rate, value=-1)
