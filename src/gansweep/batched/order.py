"""Order of the training samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from gansweep.batched import transforms
from gansweep.batched.philox import Key, words_of


class Order:
    """Batches of K members as indices, with another random permutation of the samples in every epoch.

        index of the n-th sample since the first step = permutation_e[n mod N],   e = n div N

    The permutation of an epoch is a function of the member's seed and the epoch, so that an order has no state and
    members with equal seeds have equal batches. Every sample occurs once per epoch. All batches are full: the last
    batch of an epoch is completed from the next epoch, and may therefore contain a sample twice.

    Args:
        keys: one per member.
        num_samples: number of samples N.
        batch_size: batch size B, which may be larger than N.
        count: number of batches of a step.
        device: of the indices.
        before: number of batches before each step, if not all steps have `count` batches.
    """

    def __init__(
        self,
        keys: Sequence[Key],
        num_samples: int,
        batch_size: int,
        count: int,
        device: torch.device,
        *,
        before: Sequence[int] | None = None,
    ) -> None:
        if num_samples < 1:
            raise ValueError(f"num_samples={num_samples}: expected 1 or more")
        if batch_size < 1:
            raise ValueError(f"batch_size={batch_size}: expected 1 or more")
        self.num_samples, self.batch_size, self.count = num_samples, batch_size, count
        self.before = before
        self.before_on_device = None if before is None else torch.tensor(before, device=device)
        self.words = words_of(keys, [transforms.words_for(num_samples, 2) // 4], device)
        self.offsets = torch.arange((count + 1) * batch_size, device=device)
        # The permutation of epoch e is in slot e mod E; the indices of a step belong to at most E epochs.
        self.num_slots = -(-(len(self.offsets) - 1) // num_samples) + 1
        self.epochs = [[-1] * self.num_slots for _ in keys]
        size = self.num_slots * num_samples
        self.permutations = torch.zeros(len(keys), size, dtype=torch.int64, device=device)

    def of_step(self, done: Sequence[int], step: Tensor) -> Iterator[Tensor]:
        """Yield the batches (K, B) of the step after `done` steps of each member, on the device `step` (K,)."""
        self.batches = self._indices(done, step).split(self.batch_size, 1)
        for at, batch in enumerate(self.batches[: self.count]):
            self.at = at
            yield batch

    def peek(self) -> Tensor:
        """Return the batch (K, B) after the one that was requested last, which may be of the next step."""
        return self.batches[self.at + 1]

    def _indices(self, done: Sequence[int], step: Tensor) -> Tensor:
        """Return the indices of all batches of this step and of the one after them, (K, (count + 1) * B)."""
        before = [at * self.count if self.before is None else self.before[at] for at in done]
        self._permute([number * self.batch_size for number in before])
        total, size = len(self.offsets), self.permutations.shape[1]
        first = before[0] * self.batch_size % size
        if before.count(before[0]) == len(before) and first + total <= size:
            return self.permutations[:, first : first + total].clone()  # a later epoch overwrites them
        batches = step * self.count if self.before_on_device is None else self.before_on_device[step]
        return self.permutations.gather(1, (self.offsets + (batches * self.batch_size)[:, None]) % size)

    def _permute(self, positions: Sequence[int]) -> None:
        """Draw the permutations that a step beginning at these positions needs and that have not been drawn."""
        missing: dict[int, list[int]] = {}
        for k, first in enumerate(positions):
            last = first + len(self.offsets) - 1
            for epoch in range(first // self.num_samples, last // self.num_samples + 1):
                if self.epochs[k][epoch % self.num_slots] != epoch:
                    missing.setdefault(epoch, []).append(k)
        for epoch, members in missing.items():
            slot = epoch % self.num_slots
            row = self.permutations.unflatten(1, (self.num_slots, -1))[:, slot]
            for rows in adjacent(members):
                epochs = torch.full((rows.stop - rows.start,), epoch, device=row.device)
                words = self.words([epoch] * len(epochs), epochs, slice(None), rows)
                row[rows] = transforms.permutation(words, self.num_samples)
            for k in members:
                self.epochs[k][slot] = epoch


def adjacent(rows: Sequence[int]) -> list[slice]:
    """Return the ranges of adjacent rows, in ascending order.

    >>> adjacent([0, 1, 2, 5])
    [slice(0, 3, None), slice(5, 6, None)]
    """
    ranges: list[slice] = []
    for row in rows:
        start = ranges.pop().start if ranges and ranges[-1].stop == row else row
        ranges.append(slice(start, row + 1))
    return ranges
