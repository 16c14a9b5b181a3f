"""Where the optimizers of the shelf go on a bowl."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gansweep.interfaces import Slot, UpdateRule

SLOTS = (Slot("point", (2,)),)
START = (1.0, 1.0)


def paths(
    rule: UpdateRule, rates: Sequence[float], eps: float, num_steps: int, start: tuple[float, float] = START
) -> Tensor:
    """Descend f(x, y) = (eps x^2 + y^2) / 2, a member for every rate, all points (K, num_steps + 1, 2) in float64."""
    curvature = torch.tensor([eps, 1.0], dtype=torch.float64)
    theta = torch.tensor(start, dtype=torch.float64).repeat(len(rates), 1)
    lr = torch.tensor(rates, dtype=torch.float64)[:, None]
    state, points = rule.state(SLOTS, theta), [theta.clone()]
    for step in range(1, num_steps + 1):
        count = torch.full((len(rates), 1), float(step), dtype=torch.float64)
        rule.update(SLOTS, theta, curvature * theta, state, lr, count)
        points.append(theta.clone())
    return torch.stack(points, 1)


def height(points: Tensor, eps: float) -> Tensor:
    """Return f (...) at points (..., 2)."""
    return (eps * points[..., 0].square() + points[..., 1].square()) / 2
