"""Optimizer trajectories on the quadratic, in float64."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gansweep.interfaces import Slot, UpdateRule

SLOTS = (Slot("theta", (2,)),)
START = (1.0, 1.0)


def path(rule: UpdateRule, rates: Sequence[float], eps: float, start: Sequence[float] = START) -> Tensor:
    """Minimize f(x, y) = (eps x^2 + y^2) / 2 and return all points (len(rates) + 1, 2).

    Args:
        rule: the update rule.
        rates: learning rate at every step.
        eps: curvature along x.
        start: the first point.
    """
    curvature = torch.tensor([eps, 1.0], dtype=torch.float64)
    theta = torch.tensor([list(start)], dtype=torch.float64)
    state, points = rule.state(SLOTS, theta), [theta.clone()]
    for step, rate in enumerate(rates, 1):
        lr, count = (torch.full((1, 1), float(number), dtype=torch.float64) for number in (rate, step))
        rule.update(SLOTS, theta, curvature * theta, state, lr, count)
        points.append(theta.clone())
    return torch.cat(points)


def height(points: Tensor, eps: float) -> Tensor:
    """Return f (...) at points (..., 2)."""
    return (eps * points[..., 0].square() + points[..., 1].square()) / 2
