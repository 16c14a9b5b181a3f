"""Learning-rate reduction on a plateau of the metric."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from gansweep.device import finest
from gansweep.formatting import counted
from gansweep.interfaces import Game, RunLength


@dataclass(frozen=True)
class Plateau:
    """Reduce on plateau: multiply the gain by `factor` after more than `patience` evaluations without improvement.

        improvement:  a < best (1 - threshold)  (rel)   or   a < best - threshold  (abs)   if lower is better
                      a > best (1 + threshold)  (rel)   or   a > best + threshold  (abs)   if higher is better
        gain <- max(factor gain, minimum),   then `cooldown` evaluations that are not counted as bad

    As `torch.optim.lr_scheduler.ReduceLROnPlateau` with eps=0 and a learning rate of 1. The defaults
    differ: PyTorch's factor=0.1 and patience=10 need more evaluations than most runs have. The metric
    defines whether lower is better. The first monitored value is that at step 0.

    Training then depends on the metric. The monitored values are computed from other latents than the
    reported values, but against the same data.

    Args:
        factor: factor of the gain at each reduction.
        patience: evaluations without improvement that are tolerated.
        threshold: minimum improvement.
        threshold_mode: whether threshold is relative to the best value so far (`rel`) or absolute (`abs`).
        cooldown: evaluations after a reduction that are not counted as bad.
        minimum: smallest gain.
    """

    factor: float = 0.5
    patience: int = 2
    threshold: float = 1e-4
    threshold_mode: Literal["rel", "abs"] = "rel"
    cooldown: int = 0
    minimum: float = 0.0
    monitors: ClassVar[Literal["metric"]] = "metric"

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

    def without_effect(self, length: RunLength) -> list[str]:
        """Return a warning if there are fewer than patience + 2 evaluations, the minimum for a reduction."""
        warning = (
            f"patience={self.patience}: the run has {counted(length.evaluations, 'evaluation')}, "
            "so the learning rate is never reduced"
        )
        return [warning] * (length.evaluations < self.patience + 2)

    def fitted(self, game: Game) -> Plateau:
        """Return self; nothing depends on the game."""
        return self

    def state(self, num_members: int, device: torch.device) -> dict[str, Tensor]:
        """Return the initial best value, gain, number of bad evaluations and remaining cooldown, each (K,).

        A best value of NaN means that there is none yet; any number then counts as an improvement.
        """

        def full(value: float, dtype: torch.dtype) -> Tensor:
            return torch.full((num_members,), value, dtype=dtype, device=device)

        return {
            "best": full(math.nan, finest(device)),
            "gain": full(1, finest(device)),
            "bad": full(0, torch.int64),
            "wait": full(0, torch.int64),
        }

    def update(self, state: Mapping[str, Tensor], signal: Tensor, lower_is_better: bool = True) -> Tensor:
        """Update the state with metric values `signal` (K,) and return the gains (K,)."""
        best, gain, bad, wait = (state[name] for name in ("best", "gain", "bad", "wait"))
        a, sign = signal.to(best.dtype), -1 if lower_is_better else 1
        previous = torch.where(best.isnan(), -sign * math.inf, best)
        if self.threshold_mode == "rel":
            limit = previous * (1 + sign * self.threshold)
        else:
            limit = previous + sign * self.threshold
        better = a < limit if lower_is_better else a > limit
        best.copy_(torch.where(better, a, best))
        waiting = wait > 0
        bad.copy_(torch.where(better | waiting, 0, bad + 1))
        wait.sub_(waiting.to(wait.dtype))
        reduced = bad > self.patience
        gain.copy_(torch.where(reduced, (self.factor * gain).clamp(min=self.minimum), gain))
        wait.copy_(torch.where(reduced, self.cooldown, wait))
        bad.copy_(torch.where(reduced, 0, bad))
        return gain.clone()
