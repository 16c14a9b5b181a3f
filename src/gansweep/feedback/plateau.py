"""A rate that falls when the metric no longer improves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from gansweep.device import finest
from gansweep.interfaces import Game, Outlook


@dataclass(frozen=True)
class Plateau:
    """Multiply the rate by `factor` after more than `patience` evaluations without a better value.

        better:  a < best (1 - threshold)  or  a < best - threshold,  as threshold_mode says,
                 a > best (1 + threshold)  or  a > best + threshold   if higher is better
        gain <- max(factor gain, minimum),   then `cooldown` evaluations that do not count

    As `torch.optim.lr_scheduler.ReduceLROnPlateau` with eps=0 on a rate of 1, but for its defaults
    of factor=0.1 and patience=10, which few runs have evaluations enough for. The metric says
    whether lower is better. The value at step 0 is the first one heard.

    The metric then takes part in training. The values heard are of samples from latents of their
    own, not of those that the reported values are of; but the data they are compared with are the same.

    Args:
        factor: of the gain, each time.
        patience: evaluations without a better value that are put up with.
        threshold: by how much a value has to be better.
        threshold_mode: `rel` to the best value so far, or `abs`.
        cooldown: evaluations after a reduction in which none is bad.
        minimum: least gain.
    """

    factor: float = 0.5
    patience: int = 2
    threshold: float = 1e-4
    threshold_mode: Literal["rel", "abs"] = "rel"
    cooldown: int = 0
    minimum: float = 0.0
    hears: ClassVar[Literal["metric"]] = "metric"

    def __post_init__(self) -> None:
        if not 0 < self.factor < 1:
            raise ValueError(f"factor={self.factor}: expected 0 < factor < 1")
        for name in ("patience", "cooldown"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}={getattr(self, name)}: expected a whole number >= 0")
        if not 0 <= self.threshold < math.inf:
            raise ValueError(f"threshold={self.threshold}: expected a number >= 0")
        if self.threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold_mode={self.threshold_mode}: expected rel or abs")
        if not 0 <= self.minimum <= 1:
            raise ValueError(f"minimum={self.minimum}: expected 0 <= minimum <= 1")

    def remarks(self, outlook: Outlook) -> list[str]:
        """Say if there are too few values: the first is the best so far, and more than `patience` must be worse."""
        heard = f"patience={self.patience}: hears {outlook.evaluations} evaluations, so the rate never falls"
        return [heard] * (outlook.evaluations < self.patience + 2)

    def fitted(self, game: Game) -> Plateau:
        """Return itself: every game will do."""
        return self

    def state(self, num_members: int, device: torch.device) -> dict[str, Tensor]:
        """Make best value, gain, bad evaluations in a row and those still to wait, each (K,).

        No value is worse than the best one of NaN, which stands for none yet.
        """

        def all_of(value: float, dtype: torch.dtype) -> Tensor:
            return torch.full((num_members,), value, dtype=dtype, device=device)

        return {
            "best": all_of(math.nan, finest(device)),
            "gain": all_of(1, finest(device)),
            "bad": all_of(0, torch.int64),
            "wait": all_of(0, torch.int64),
        }

    def update(self, state: Mapping[str, Tensor], signal: Tensor, lower_is_better: bool = True) -> Tensor:
        """Take values of the metric (K,) and return the gains (K,)."""
        best, gain, bad, wait = (state[name] for name in ("best", "gain", "bad", "wait"))
        a, sign = signal.to(best.dtype), -1 if lower_is_better else 1
        so_far = torch.where(best.isnan(), -sign * math.inf, best)
        bar = so_far * (1 + sign * self.threshold) if self.threshold_mode == "rel" else so_far + sign * self.threshold
        better = a < bar if lower_is_better else a > bar
        best.copy_(torch.where(better, a, best))
        waiting = wait > 0
        bad.copy_(torch.where(better | waiting, 0, bad + 1))
        wait.sub_(waiting.to(wait.dtype))
        reduced = bad > self.patience
        gain.copy_(torch.where(reduced, (self.factor * gain).clamp(min=self.minimum), gain))
        wait.copy_(torch.where(reduced, self.cooldown, wait))
        bad.copy_(torch.where(reduced, 0, bad))
        return gain.clone()
