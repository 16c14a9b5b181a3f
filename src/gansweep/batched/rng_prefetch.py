"""RNG prefetch: random numbers of many steps drawn in one call, for devices where each call is expensive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

MOST_STEPS, MOST_BYTES = 64, 1 << 25  # prefetched per member, whichever is smaller


class Source(Protocol):
    """Random source of one member, such as a `torch.Generator`."""

    def get_state(self) -> Any:
        """Return the state of the source."""
        ...

    def set_state(self, new_state: Any, /) -> Any:
        """Set the state of the source."""
        ...


class Piece(NamedTuple):
    """One random draw of a generator step.

    Args:
        draw: function of a source and a count that returns `count` draws (count, ...).
        num_bytes: size of one draw.
        finish: function from draws, with any leading shape, to the numbers that the step uses.
    """

    draw: Callable[[Any, int], Tensor]
    num_bytes: int
    finish: Callable[[Tensor], Tensor] = lambda drawn: drawn


class Ahead:
    """Prefetched draws of K members, in blocks of S generator steps.

    With K members on a GPU, one call per member and step would take longer than the step. S depends on the
    size of the pieces only, and a block starts where the member's step count is a multiple of S. A member's
    numbers therefore depend neither on the other members nor on where it was interrupted. With S = 1 every
    piece is drawn on request and nothing is stored.

    Args:
        sources: one per member.
        pieces: draws of a generator step, in the order in which they are requested.
        device: of the numbers.
        at_once: S = 1, draw on request.
    """

    def __init__(
        self, sources: Sequence[Source], pieces: Sequence[Piece], device: torch.device, *, at_once: bool
    ) -> None:
        self.sources, self.pieces = tuple(sources), tuple(pieces)
        fit = MOST_BYTES // max(1, sum(piece.num_bytes for piece in pieces))
        self.num_steps = 1 if at_once else max(1, min(MOST_STEPS, fit))
        self.at = 0  # index of the next piece
        self.step = [0] * len(self.sources)  # within the block; num_steps if the block is used up
        self.rows = torch.arange(len(self.sources), device=device)
        self.step_on_device = torch.zeros_like(self.rows)
        self.starts: list[Any] = [None] * len(self.sources)
        self.blocks: list[Tensor | None] = [None] * len(self.pieces)
        if self.num_steps > 1:
            self.step = [self.num_steps] * len(self.sources)

    def next(self) -> Tensor:
        """Return the next piece of every member, (K, ...)."""
        piece = self.pieces[self.at]
        if self.num_steps == 1:
            parts = [piece.draw(source, 1) for source in self.sources]
            drawn = parts[0] if len(parts) == 1 else torch.cat(parts)
        else:
            if self.at == 0:
                self._begin_step()
            block = self.blocks[self.at]
            assert block is not None
            together = min(self.step) == max(self.step)
            drawn = block[:, self.step[0]] if together else block[self.rows, self.step_on_device]
        self._pass(1)
        return piece.finish(drawn)

    def leave_out(self, count: int) -> None:
        """Skip the next `count` pieces of this step. Prefetched pieces are drawn anyway."""
        if self.at == 0 and count > 0 and self.num_steps > 1:
            self._begin_step()
        self._pass(count)

    def _pass(self, count: int) -> None:
        self.at += count
        if self.at == len(self.pieces):
            self.at = 0
            if self.num_steps > 1:
                self.step = [step + 1 for step in self.step]
                self.step_on_device += 1

    def _begin_step(self) -> None:
        for k, step in enumerate(self.step):
            if step == self.num_steps:
                self._draw_block(k)

    def _draw_block(self, k: int) -> None:
        """Draw member k's pieces for a block of steps and move to its first step."""
        self.starts[k] = self.sources[k].get_state()
        for n, piece in enumerate(self.pieces):
            drawn = piece.draw(self.sources[k], self.num_steps)
            block = self.blocks[n]
            if block is None:
                block = self.blocks[n] = drawn.new_zeros((len(self.sources), *drawn.shape))
            block[k].copy_(drawn)
        self.step[k] = 0
        self.step_on_device[k].zero_()

    def export(self, k: int) -> Any:
        """Return the state of member k's source at the start of its current block."""
        inside = self.num_steps > 1 and self.step[k] < self.num_steps
        return self.starts[k] if inside else self.sources[k].get_state()

    def restore(self, k: int, state: Any, done: int) -> None:
        """Restore member k's position after `done` generator steps."""
        self.sources[k].set_state(state)
        if self.num_steps > 1 and done % self.num_steps:
            self._draw_block(k)
            self.step[k] = done % self.num_steps
            self.step_on_device[k].fill_(self.step[k])
