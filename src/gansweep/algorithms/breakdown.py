"""Breakdown guard: detects sudden breakdowns of a training and restores an earlier state."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Breakdown:
    """Criterion for a breakdown of a stage, and the response to it.

        L_D < loss_below <= running median of L_D,   or
        L_fit > fit_above * running median of L_fit

    Both medians are taken over the last `window` stages without a breakdown. No breakdown is detected before
    there are that many. A member that broke down is restored to its last saved state, and eta and the
    discriminator's rate are multiplied by `decay` from then on. Its random streams and schedules continue. The
    default thresholds are from a training of Zhu, Gu and Liu 2018 (HKUST) that broke down: L_D fell from 1.37 to
    0.82 one reading before the images were lost.

    Args:
        enabled: whether stages are monitored.
        loss_below: bound on the discriminator's loss without penalties, averaged over a stage.
        fit_above: bound on the approximator's loss, as a multiple of its median.
        window: number of stages for the medians.
        keep_every: stages between two saved states.
        decay: factor of eta and of the discriminator's rate after a breakdown.
    """

    enabled: bool = False
    loss_below: float = 1.0
    fit_above: float = 5.0
    window: int = 25
    keep_every: int = 25
    decay: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.loss_below < math.inf:
            raise ValueError(f"loss_below={self.loss_below}: expected a number above 0")
        if not 1 < self.fit_above < math.inf:
            raise ValueError(f"fit_above={self.fit_above}: expected a number above 1")
        for name in ("window", "keep_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected a whole number, at least 1")
        if not 0 < self.decay <= 1:
            raise ValueError(f"decay={self.decay}: expected 0 < decay <= 1")


class Guard:
    """Loss history and saved state of every member, for the breakdown criterion.

    Args:
        rule: the criterion.
        num_members: K.
        device: where the members train.
    """

    def __init__(self, rule: Breakdown, num_members: int, device: torch.device) -> None:
        self.rule = rule
        self.losses = torch.full((2, num_members, rule.window), math.nan, device=device)  # L_D and L_fit
        self.factor = torch.ones(num_members, 1, device=device)
        self.returns = torch.zeros(num_members, dtype=torch.int64, device=device)
        self.saved_states: list[dict[str, Any] | None] = [None] * num_members

    def broken(self, d_loss: Tensor, fit_loss: Tensor) -> list[bool]:
        """Return whether each member broke down in a stage with losses (K,).

        The losses of the other members are appended to their history.
        """
        losses = torch.stack([d_loss, fit_loss])
        d_median, fit_median = self.losses.median(
            2
        ).values  # NaN, for which all comparisons are False, until the window is full
        fell = (d_loss < self.rule.loss_below) & (d_median >= self.rule.loss_below)
        broken = fell | (fit_loss > self.rule.fit_above * fit_median)
        moved = torch.cat([self.losses[:, :, 1:], losses[:, :, None]], 2)
        self.losses = torch.where(broken[None, :, None], self.losses, moved)
        return broken.tolist()

    def save_is_due(self, row: int, step: int) -> bool:
        """Return whether to save the state of a member after a stage without a breakdown."""
        return self.saved_states[row] is None or step % self.rule.keep_every == 0

    def reduce_rates(self, row: int) -> None:
        """Multiply the rate factor of a restored member by `decay` and count the restoration."""
        self.factor[row] *= self.rule.decay
        self.returns[row] += 1

    def export(self, row: int) -> dict[str, Any]:
        """Return the state of a member."""
        state = {"losses": self.losses[:, row].clone(), "factor": self.factor[row].clone()}
        return state | {"returns": self.returns[row].clone(), "sound": self.saved_states[row]}

    def restore(self, row: int, saved: dict[str, Any]) -> None:
        """Restore a member from an exported state."""
        self.losses[:, row] = saved["losses"]
        self.factor[row].copy_(saved["factor"])
        self.returns[row].copy_(saved["returns"])
        self.saved_states[row] = saved["sound"]
