"""Order of the training samples of one member."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class Order:
    """Infinite sequence of index batches, with a new random permutation in every epoch.

    Every sample occurs once per epoch. All batches are full: the last batch of an epoch is completed
    from the next epoch, and may therefore contain a sample twice. Each member has its own generator, so
    members with equal seeds have equal batches.

    The first permutation is drawn with the first batch.

    Args:
        num_samples: number of samples N.
        batch_size: batch size B, which may be larger than N.
        generator: random generator of the member.
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
        # Allocate a new tensor: a saved state may still refer to the old one.
        self.permutation = torch.randperm(self.num_samples, generator=self.generator, device=self.generator.device)
        self.position = 0

    def get_state(self) -> dict[str, Any]:
        """Return the permutation, the position in it, and the state of the generator."""
        return {"permutation": self.permutation, "position": self.position, "generator": self.generator.get_state()}

    def set_state(self, new_state: dict[str, Any]) -> None:
        """Restore a state returned by `get_state`.

        Raises:
            ValueError: the state belongs to a data set of another size.
        """
        permutation, position = new_state["permutation"], new_state["position"]
        if len(permutation) not in (0, self.num_samples) or not 0 <= position <= len(permutation):
            raise ValueError(f"order at {position} of {len(permutation)}: expected {self.num_samples} samples")
        self.permutation = permutation.to(self.permutation.device)
        self.position = position
        self.generator.set_state(new_state["generator"])
