"""Going back to where a training was still sound."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Breakdown:
    """When a stage counts as broken down, and what is done about it.

        L_D < loss_below, where the running median of L_D is not, or
        L_fit > fit_above * running median of L_fit

    Both medians are of the last `window` sound stages; before there are so many nothing is broken. A member that
    broke down goes back to its last kept state, with eta and the discriminator's rate multiplied by `decay` from
    then on; its random streams and its schedules go on. The numbers are those of a training that Zhu, Gu and Liu
    2018 (HKUST) saw break down: L_D fell from 1.37 to 0.82 one reading before the images were lost.

    Args:
        enabled: whether anything is watched at all.
        loss_below: of the discriminator, without penalties, in the mean of a stage.
        fit_above: of the approximator, as a multiple of its median.
        window: stages.
        keep_every: stages between two states that are kept.
        decay: of eta and of the discriminator's rate.
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
    """What is remembered of every member's stages.

    Args:
        rule: when one is broken down.
        num_members: K.
        device: where the members train.
    """

    def __init__(self, rule: Breakdown, num_members: int, device: torch.device) -> None:
        self.rule = rule
        self.losses = torch.full((2, num_members, rule.window), math.nan, device=device)  # L_D and L_fit
        self.factor = torch.ones(num_members, 1, device=device)
        self.returns = torch.zeros(num_members, dtype=torch.int64, device=device)
        self.sound: list[dict[str, Any] | None] = [None] * num_members

    def broken(self, d_loss: Tensor, fit_loss: Tensor) -> list[bool]:
        """Judge a stage of every member by its losses (K,), and remember them where it is sound."""
        seen = torch.stack([d_loss, fit_loss])
        d_median, fit_median = self.losses.median(2).values  # NaN, which is less than nothing, until all are there
        fell = (d_loss < self.rule.loss_below) & (d_median >= self.rule.loss_below)
        broken = fell | (fit_loss > self.rule.fit_above * fit_median)
        moved = torch.cat([self.losses[:, :, 1:], seen[:, :, None]], 2)
        self.losses = torch.where(broken[None, :, None], self.losses, moved)
        return broken.tolist()

    def wants(self, row: int, step: int) -> bool:
        """Tell whether the state of a member after a sound stage is to be kept."""
        return self.sound[row] is None or step % self.rule.keep_every == 0

    def slow_down(self, row: int) -> None:
        """Note that a member went back."""
        self.factor[row] *= self.rule.decay
        self.returns[row] += 1

    def export(self, row: int) -> dict[str, Any]:
        """Return all that is known of a member."""
        known = {"losses": self.losses[:, row].clone(), "factor": self.factor[row].clone()}
        return known | {"returns": self.returns[row].clone(), "sound": self.sound[row]}

    def restore(self, row: int, saved: dict[str, Any]) -> None:
        """Put what was exported in place."""
        self.losses[:, row] = saved["losses"]
        self.factor[row].copy_(saved["factor"])
        self.returns[row].copy_(saved["returns"])
        self.sound[row] = saved["sound"]
