"""Symplectic gradient adjustment (SGA)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch

from gansweep.dynamics.position import Position


@dataclass(frozen=True)
class Symplectic:
    """Symplectic gradient adjustment (SGA): correction by the antisymmetric part of the game's Jacobian.

        x <- x - lr (v + lambda A^T v),   A = (J - J^T) / 2,   J = dv/dx
        A^T v = (J^T v - J v) / 2
        lambda = strength, with the sign of <v, grad H> <A^T v, grad H> / P + 0.1 if aligned,
        H = 1/2 || v ||^2,   grad H = J^T v,   P parameters of both players

    Balduzzi et al. 2018, arXiv:1802.05642, eq. 3 and algorithm 1. It costs two additional passes. The
    authors' notebook divides by the number of parameter tensors instead of P.

    Args:
        strength: absolute value of lambda.
        aligned: choose the sign of lambda so that stable fixed points attract and unstable ones repel.
    """

    strength: float = 1.0
    aligned: bool = True
    joint: ClassVar[bool] = True
    third_derivatives: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.strength < math.inf:
            raise ValueError(f"strength={self.strength}: expected a number >= 0")

    def __call__(self, game: Position) -> None:
        """Apply one step to both players."""
        v = game.field(create_graph=True)
        grad_h, jvp = game.vjp(v, v), game.jvp(v, v)
        v, adjustment = v.detach(), (grad_h - jvp) * 0.5
        if self.aligned:
            alignment = v.dot(grad_h) * adjustment.dot(grad_h) / v.num_parameters + 0.1
            adjustment = adjustment * torch.where(alignment < 0, -1.0, 1.0)
        game.descend(v + adjustment * self.strength)
