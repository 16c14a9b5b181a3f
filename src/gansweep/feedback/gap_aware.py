"""Gap-aware learning-rate scheduler for the discriminator."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
from torch import Tensor

from gansweep.interfaces import Game

GAP_FRACTION = 0.1  # x_min and x_max of the paper's experiments, as a fraction of V*


@dataclass(frozen=True)
class GapAware:
    """Gap-aware scheduler: adapts the discriminator's learning rate to the gap to its ideal loss.

        V <- decay V + (1 - decay) L_D,   x = |V - V*|,   V = V* before the first batch
        gain = min(f_max^(x / x_max), f_max)   if V > V*:   the discriminator is too weak
        gain = max(h_min^(x / x_min), h_min)   otherwise:   the discriminator is too strong

    Hazimeh and Ponomareva 2023, arXiv:2302.00089, eqs. 3 and 4 and table 1; the running average is that
    of the authors' notebook, google-research/adversarial_nets_lr_scheduler. V* is the discriminator's
    loss against a perfect generator. L_D is the loss without penalties. The loss of a batch already
    affects the update that this batch is used for.

    Args:
        ideal: V*; null: the `ideal_loss` of the game, e.g. log 4 for `Standard`.
        x_min: gap at which the gain reaches h_min; null: 0.1 V*.
        x_max: gap at which the gain reaches f_max; null: 0.1 V*.
        h_min: smallest gain.
        f_max: largest gain.
        decay: decay rate of the running average of L_D; 0 uses the latest batch only.
    """

    ideal: float | None = None
    x_min: float | None = None
    x_max: float | None = None
    h_min: float = 0.1
    f_max: float = 2.0
    decay: float = 0.95
    monitors: ClassVar[Literal["game"]] = "game"

    def __post_init__(self) -> None:
        if self.ideal is not None and not math.isfinite(self.ideal):
            raise ValueError(f"ideal={self.ideal}: expected a finite number, or null for the ideal loss of the game")
        for name in ("x_min", "x_max"):
            x = getattr(self, name)
            if x is not None and not 0 < x < math.inf:
                raise ValueError(f"{name}={x}: expected a number > 0, or null for {GAP_FRACTION} of the ideal loss")
        if not 0 < self.h_min <= 1:
            raise ValueError(f"h_min={self.h_min}: expected 0 < h_min <= 1")
        if not 1 <= self.f_max < math.inf:
            raise ValueError(f"f_max={self.f_max}: expected a number >= 1")
        if not 0 <= self.decay < 1:
            raise ValueError(f"decay={self.decay}: expected 0 <= decay < 1")

    def fitted(self, game: Game) -> GapAware:
        """Return a copy with null settings filled in: V* from `game`, x_min and x_max from V*.

        Raises:
            ValueError: the game has no ideal loss, or V* <= 0 with x_min or x_max null.
        """
        ideal = self.ideal
        if ideal is None:
            ideal = getattr(game, "ideal_loss", None)
        if ideal is None:
            raise ValueError(f"ideal=null: {game!r} does not define an ideal loss; expected a number")
        for name in ("x_min", "x_max"):
            if getattr(self, name) is None and ideal <= 0:
                raise ValueError(
                    f"{name}=null: would be {GAP_FRACTION} of the ideal loss, which is {ideal} for {game!r}; "
                    "expected numbers > 0 for x_min and x_max"
                )
        x = GAP_FRACTION * ideal
        x_min, x_max = (x if value is None else value for value in (self.x_min, self.x_max))
        return replace(self, ideal=ideal, x_min=x_min, x_max=x_max)

    def state(self, num_members: int, device: torch.device) -> dict[str, Tensor]:
        """Return the initial running averages V = V*, (K,)."""
        assert self.ideal is not None, "call fitted() first"
        return {"loss": torch.full((num_members,), self.ideal, dtype=torch.float32, device=device)}

    def update(self, state: Mapping[str, Tensor], signal: Tensor, lower_is_better: bool = True) -> Tensor:
        """Update the running averages with the losses `signal` (K,) of one batch and return the gains (K,)."""
        assert self.ideal is not None, "call fitted() first"
        assert self.x_min is not None
        assert self.x_max is not None
        v = state["loss"].mul_(self.decay).add_((1 - self.decay) * signal.to(torch.float32))
        x = (v - self.ideal).abs()
        # `exp` instead of `pow`, whose rounding depends on the number of members.
        increase = torch.exp(math.log(self.f_max) * (x / self.x_max).clamp(max=1))
        decrease = torch.exp(math.log(self.h_min) * (x / self.x_min).clamp(max=1))
        return torch.where(v > self.ideal, increase, decrease)
