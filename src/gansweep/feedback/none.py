"""No feedback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from gansweep.interfaces import Game


@dataclass(frozen=True)
class NoFeedback:
    """No feedback: the gain is always 1.

    `feedback=none,plateau` sweeps over runs without and with feedback. `feedback@feedback_d=none`
    disables the discriminator's feedback when `feedback` is set.
    """

    monitors: ClassVar[Literal["nothing"]] = "nothing"

    def fitted(self, game: Game) -> NoFeedback:
        """Return self; nothing depends on the game."""
        return self

    def state(self, num_members: int, device: torch.device) -> dict[str, Tensor]:
        """Return an empty state."""
        return {}

    def update(self, state: Mapping[str, Tensor], signal: Tensor, lower_is_better: bool = True) -> Tensor:
        """Return ones (K,)."""
        return torch.ones_like(signal)
