"""A discriminator that slows down when it is too good."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
from torch import Tensor

from gansweep.interfaces import Game, IdealLoss

OF_IDEAL = 0.1  # x_min and x_max of the paper's experiments, as a part of V*


@dataclass(frozen=True)
class GapAware:
    """Keep the discriminator's loss near the one it would have if the generator were perfect.

        V <- decay V + (1 - decay) L_D,   x = |V - V*|,   V = V* before the first batch
        gain = min(f_max^(x / x_max), f_max)   where V > V*: it is too weak and hurries
        gain = max(h_min^(x / x_min), h_min)   elsewhere:    it is too strong and waits

    Hazimeh and Ponomareva 2023, arXiv:2302.00089, eqs. 3 and 4 and table 1; the average as in the
    authors' notebook, google-research/adversarial_nets_lr_scheduler. L_D is the game's loss without
    penalties. The batch just seen counts already in the update it leads to.

    Args:
        ideal: V*; null for what the game says, e.g. log 4 of the standard one.
        x_min: gap at which the gain has come down to h_min; null for 0.1 V*.
        x_max: gap at which it has come up to f_max; null for 0.1 V*.
        h_min: least gain.
        f_max: greatest gain.
        decay: of the running average of L_D; 0 for the newest batch alone.
    """

    ideal: float | None = None
    x_min: float | None = None
    x_max: float | None = None
    h_min: float = 0.1
    f_max: float = 2.0
    decay: float = 0.95
    hears: ClassVar[Literal["game"]] = "game"

    def __post_init__(self) -> None:
        if self.ideal is not None and not math.isfinite(self.ideal):
            raise ValueError(f"ideal={self.ideal}: expected a finite number, or null for the game's own")
        for name in ("x_min", "x_max"):
            x = getattr(self, name)
            if x is not None and not 0 < x < math.inf:
                raise ValueError(f"{name}={x}: expected a number > 0, or null for {OF_IDEAL} of the ideal loss")
        if not 0 < self.h_min <= 1:
            raise ValueError(f"h_min={self.h_min}: expected 0 < h_min <= 1")
        if not 1 <= self.f_max < math.inf:
            raise ValueError(f"f_max={self.f_max}: expected a number >= 1")
        if not 0 <= self.decay < 1:
            raise ValueError(f"decay={self.decay}: expected 0 <= decay < 1")

    def fitted(self, game: Game) -> GapAware:
        """Return it with V* of the game and x_min, x_max of V*, where they were left open.

        Raises:
            ValueError: the game has no V*, or none that a part can be taken of.
        """
        ideal = self.ideal
        if ideal is None:
            if not isinstance(game, IdealLoss):
                raise ValueError(f"ideal=null: {game!r} does not say its ideal loss; expected a number")
            ideal = game.ideal_loss
        for name in ("x_min", "x_max"):
            if getattr(self, name) is None and ideal <= 0:
                raise ValueError(
                    f"{name}=null: would be {OF_IDEAL} of the ideal loss, which is {ideal} for {game!r}; "
                    "expected numbers > 0 for x_min and x_max"
                )
        x = OF_IDEAL * ideal
        x_min, x_max = (x if given is None else given for given in (self.x_min, self.x_max))
        return replace(self, ideal=ideal, x_min=x_min, x_max=x_max)

    def state(self, num_members: int, device: torch.device) -> dict[str, Tensor]:
        """Make the averages V (K,), at V*."""
        assert self.ideal is not None, "fitted first"
        return {"loss": torch.full((num_members,), self.ideal, dtype=torch.float32, device=device)}

    def update(self, state: Mapping[str, Tensor], signal: Tensor, lower_is_better: bool = True) -> Tensor:
        """Take losses of one batch (K,) into the averages and return the gains (K,)."""
        assert self.ideal is not None and self.x_min is not None and self.x_max is not None, "fitted first"
        v = state["loss"].mul_(self.decay).add_((1 - self.decay) * signal.to(torch.float32))
        x = (v - self.ideal).abs()
        # `exp` rather than `pow`, whose last bit depends on how many members stand beside.
        hurry = torch.exp(math.log(self.f_max) * (x / self.x_max).clamp(max=1))
        wait = torch.exp(math.log(self.h_min) * (x / self.x_min).clamp(max=1))
        return torch.where(v > self.ideal, hurry, wait)
