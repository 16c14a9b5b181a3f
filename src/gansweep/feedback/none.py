"""No feedback, by a name that fits in a sweep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from gansweep.interfaces import Game


@dataclass(frozen=True)
class NoFeedback:
    """A gain of 1, whatever happens: the rate is what the schedule says.

    `feedback=none,plateau` compares with and without; `feedback@feedback_d=none` takes from the
    discriminator what the generator has.
    """

    hears: ClassVar[Literal["nothing"]] = "nothing"

    def fitted(self, game: Game) -> NoFeedback:
        """Return itself: every game will do."""
        return self

    def state(self, num_members: int, device: torch.device) -> dict[str, Tensor]:
        """Remember nothing."""
        return {}

    def update(self, state: Mapping[str, Tensor], signal: Tensor, lower_is_better: bool = True) -> Tensor:
        """Return 1 for every signal (K,)."""
        return torch.ones_like(signal)
