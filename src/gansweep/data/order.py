"""In which order members see the data."""

from __future__ import annotations

from collections.abc import Sequence
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
        generators: one per member, all on one device.
    """

    def __init__(self, num_samples: int, batch_size: int, generators: Sequence[torch.Generator]) -> None:
        if num_samples < 1:
            raise ValueError(f"num_samples={num_samples}: expected 1 or more")
        if batch_size < 1:
            raise ValueError(f"batch_size={batch_size}: expected 1 or more")
        self.num_samples, self.batch_size, self.generators = num_samples, batch_size, tuple(generators)
        self.permutations = torch.empty(len(generators), 0, dtype=torch.int64, device=generators[0].device)
        self.position = 0

    def next(self) -> Tensor:
        """Return the next batch's indices (K, B)."""
        parts, missing = [], self.batch_size
        while missing > 0:
            if self.position == self.permutations.shape[1]:
                self._shuffle()
            part = self.permutations[:, self.position : self.position + missing]
            self.position += part.shape[1]
            missing -= part.shape[1]
            parts.append(part)
        return torch.cat(parts, 1)

    def _shuffle(self) -> None:
        # new tensors, never the old ones overwritten: a saved state may still hold them
        self.permutations = torch.stack(
            [torch.randperm(self.num_samples, generator=g, device=g.device) for g in self.generators]
        )
        self.position = 0

    def state_dict(self) -> dict[str, Any]:
        """Return where in the epoch it is. The generators are saved by whoever owns them."""
        return {"permutations": self.permutations, "position": self.position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken.

        Raises:
            ValueError: it is of other data or of another number of members.
        """
        permutations, position = state["permutations"], state["position"]
        members, length = permutations.shape
        if members != len(self.generators) or length not in (0, self.num_samples) or not 0 <= position <= length:
            raise ValueError(
                f"order at {position} of {tuple(permutations.shape)}: "
                f"expected {len(self.generators)} members and {self.num_samples} samples"
            )
        self.permutations = permutations.to(self.permutations.device)
        self.position = position
