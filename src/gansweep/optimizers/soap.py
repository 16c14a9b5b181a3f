"""SOAP optimizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.interfaces import Slot, UpdateContext
from gansweep.optimizers.adam import check_not_negative, checked_betas
from gansweep.optimizers.matrices import along, eigenvectors, gram, orthonormal, product, rows_of
from gansweep.update_rule import columns


@dataclass(frozen=True)
class SOAP:
    """SOAP: Adam in the eigenbasis of Shampoo's preconditioner.

        M <- beta1 M + (1 - beta1) G
        V <- beta2 V + (1 - beta2) (Q_L^T G Q_R)^2
        W <- W - lr sqrt(1 - beta2^s) / (1 - beta1^s) Q_L [Q_L^T M Q_R / (sqrt(V) + eps)] Q_R^T,   s = t - 1
        L <- beta2 L + (1 - beta2) G G^T,   R <- beta2 R + (1 - beta2) G^T G
        every `every` updates:   Q_L <- QR(L Q_L),   Q_R <- QR(R Q_R),   columns sorted by decreasing eigenvalue

    Vyas et al. 2024, arXiv:2409.11321, algorithm 3, with the details of the authors' code: the first gradient
    initialises L, R and their eigenvectors and makes no update; V is reordered with the columns. Tensors of more axes
    have one basis for each. Vectors, and axes longer than `max_size`, have none: Adam.

    Memory and time: an axis of length n has two matrices (n, n) for each member. Where the rate depends on feedback,
    step counts are copied from the device once per update.

    Args:
        betas: decay rates of M, and of V, L and R.
        eps: added to the square root of V.
        weight_decay: decoupled weight decay, multiplied by the learning rate, from the second step on.
        every: updates between two changes of the bases.
        max_size: longest axis with a basis.
    """

    betas: tuple[float, float] = (0.95, 0.95)
    eps: float = 1e-8
    weight_decay: float = 0.0
    every: int = 10
    max_size: int = 1024
    elementwise: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "betas", checked_betas(self.betas))
        check_not_negative(self, "eps", "weight_decay")
        for name in ("every", "max_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected a whole number >= 1")

    def _axes(self, slot: Slot) -> list[int]:
        return [axis for axis, size in enumerate(slot.shape) if len(slot.shape) > 1 and size <= self.max_size]

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Return M and V (K, P), zeros, and for every axis the mean (K, n, n), zeros, and the basis (K, n, n)."""
        state = {name: torch.zeros_like(theta) for name in ("m", "v")}
        for slot in slots:
            for axis in self._axes(slot):
                eye = torch.eye(slot.shape[axis], dtype=theta.dtype, device=theta.device).repeat(len(theta), 1, 1)
                state |= {f"{slot.name}/mean/{axis}": torch.zeros_like(eye), f"{slot.name}/basis/{axis}": eye}
        return state

    def update(self, theta: Tensor, grad: Tensor, state: Mapping[str, Tensor], context: UpdateContext) -> None:
        """Update `theta` (K, P) and `state` in place by one step."""
        (beta1, beta2), s = self.betas, context.step - 1
        steps = (context.on_host or context).step.flatten().tolist()
        new = [k for k, t in enumerate(steps) if t == 1]
        due = [k for k, t in enumerate(steps) if t > 1 and (t - 1) % self.every == 0]
        started = context.step > 1
        state["m"].copy_(torch.where(started, state["m"].lerp(grad, 1 - beta1), state["m"]))
        factor = torch.where(started, context.lr * (1 - beta2**s).sqrt() / (1 - beta1**s), 0.0).to(theta.dtype)
        decay = torch.where(started, 1 - self.weight_decay * context.lr, 1.0).to(theta.dtype)
        for slot, span in columns(context.slots):
            axes, (g, m, v) = (
                self._axes(slot),
                (x[:, span].unflatten(1, slot.shape) for x in (grad, state["m"], state["v"])),
            )
            bases = {axis: state[f"{slot.name}/basis/{axis}"] for axis in axes}
            square = self._rotated(g, bases).square()
            u = self._rotated(m, bases)
            moment = v.lerp(square, 1 - beta2)
            v.copy_(torch.where(started.view(-1, *[1] * len(slot.shape)), moment, v))
            u = u / (v.sqrt() + self.eps)
            for axis, basis in bases.items():
                u = along(u, basis.mT, axis)
            theta[:, span].sub_(torch.where(started, u.flatten(1) * factor, 0.0))
            if self.weight_decay:
                theta[:, span].mul_(decay)
            self._update_bases(slot, g, v, state, new, due)

    def _rotated(self, x: Tensor, bases: Mapping[int, Tensor]) -> Tensor:
        for axis, basis in bases.items():
            x = along(x, basis, axis)
        return x

    def _update_bases(
        self, slot: Slot, g: Tensor, v: Tensor, state: Mapping[str, Tensor], new: list[int], due: list[int]
    ) -> None:
        """Update the means of a slot, and the bases of the members that are `new` or `due`, with V in their order."""
        for axis in self._axes(slot):
            mean, basis = state[f"{slot.name}/mean/{axis}"], state[f"{slot.name}/basis/{axis}"]
            mean.lerp_(gram(g, axis), 1 - self.betas[1])
            if new:
                rows = rows_of(new, mean)
                basis[rows] = eigenvectors(mean[rows])
            if due:
                rows = rows_of(due, mean)
                image = product(mean[rows], basis[rows])
                order = (basis[rows] * image).sum(1).argsort(dim=1, descending=True, stable=True)
                basis[rows] = orthonormal(image.gather(2, order[:, None].expand_as(image)))
                moved = v[rows].movedim(axis + 1, -1)
                index = order.view(len(due), *[1] * (moved.ndim - 2), -1).expand_as(moved)
                v[rows] = moved.gather(-1, index).movedim(-1, axis + 1)
