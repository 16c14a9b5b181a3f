"""In which order a member sees the data."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class Order:
    """Endless batches of indices: epoch after epoch, each in a new random order.

    Every sample comes once per epoch. Batches are all full: one that the epoch's end would cut
    short is filled from the next epoch, and may hold a sample twice for that. Each member
    shuffles with its own generator, so equal seeds see equal batches.

    Nothing is drawn before the first batch.

    Args:
        num_samples: N.
        batch_size: B, which may be larger than N.
        generator: the member's own.
    """

    def __init__(self, num_samples: int, batch_size: int, generator: torch.Generator) -> None:
        if num_samples < 1:
            raise ValueError(f"num_samples={num_samples}: expected 1 or more")
        if batch_size < 1:
            raise ValueError(f"batch_size={batch_size}: expected 1 or more")
        self.num_samples, self.batch_size, self.generator = num_samples, batch_size, generator
        self.permutation = torch.empty(0, dtype=torch.int64, device=generator.device)
        self.position = 0

    def next(self, count: int = 1) -> Tensor:
        """Return the indices of the next batches (count, B)."""
        parts, missing = [], count * self.batch_size
        while missing > 0:
            if self.position == len(self.permutation):
                self._shuffle()
            part = self.permutation[self.position : self.position + missing]
            self.position += len(part)
            missing -= len(part)
            parts.append(part)
        return (parts[0] if len(parts) == 1 else torch.cat(parts)).view(count, self.batch_size)

    def _shuffle(self) -> None:
        # a new tensor, never the old one overwritten: a saved state may still hold it
        self.permutation = torch.randperm(self.num_samples, generator=self.generator, device=self.generator.device)
        self.position = 0

    def get_state(self) -> dict[str, Any]:
        """Return where in the epoch it is, and where its generator is."""
        return {"permutation": self.permutation, "position": self.position, "generator": self.generator.get_state()}

    def set_state(self, new_state: dict[str, Any]) -> None:
        """Go on where the state was taken.

        Raises:
            ValueError: it is of other data.
        """
        permutation, position = new_state["permutation"], new_state["position"]
        if len(permutation) not in (0, self.num_samples) or not 0 <= position <= len(permutation):
            raise ValueError(f"order at {position} of {len(permutation)}: expected {self.num_samples} samples")
        self.permutation = permutation.to(self.permutation.device)
        self.position = position
        self.generator.set_state(new_state["generator"])
