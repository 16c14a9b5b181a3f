"""Random numbers of the steps to come, drawn for many steps at once where every call is dear."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

MOST_STEPS, MOST_BYTES = 64, 1 << 25  # drawn ahead of one member, whichever is less


class Source(Protocol):
    """Where one member's numbers come from."""

    def get_state(self) -> Any:
        """Return where it is."""
        ...

    def set_state(self, new_state: Any, /) -> Any:
        """Go on from there."""
        ...


class Piece(NamedTuple):
    """One of the draws that make up a generator step.

    Args:
        draw: takes a source and a count and returns so many draws (count, ...).
        num_bytes: of one draw.
        finish: what turns draws, of any leading shape, into the numbers that the step uses.
    """

    draw: Callable[[Any, int], Tensor]
    num_bytes: int
    finish: Callable[[Tensor], Tensor] = lambda drawn: drawn


class Ahead:
    """What the members' sources give, piece after piece, for S generator steps at a time.

    With K members on a GPU, a call for each of them in every step would take longer than the
    step. S follows from the size of the pieces alone, and blocks begin where a member's own count of
    steps is a multiple of S, so that its numbers depend neither on its neighbours nor on where it
    was interrupted. With S = 1 every piece is drawn when it is asked for and nothing is kept.

    Args:
        sources: one per member.
        pieces: of a generator step, in the order in which they are asked for.
        device: where the numbers are.
        at_once: draw only what is asked for.
    """

    def __init__(
        self, sources: Sequence[Source], pieces: Sequence[Piece], device: torch.device, *, at_once: bool
    ) -> None:
        self.sources, self.pieces = tuple(sources), tuple(pieces)
        fit = MOST_BYTES // max(1, sum(piece.num_bytes for piece in pieces))
        self.num_steps = 1 if at_once else max(1, min(MOST_STEPS, fit))
        self.at = 0  # the next piece
        self.step = [0] * len(self.sources)  # in the block, num_steps where it is used up
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
        """Pass over the next pieces of this step. Those of a block are drawn all the same."""
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
        """Draw member k's pieces for a block of steps, and stand at its begin."""
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
        """Return where member k's source was when the block began that it stands in."""
        inside = self.num_steps > 1 and self.step[k] < self.num_steps
        return self.starts[k] if inside else self.sources[k].get_state()

    def restore(self, k: int, state: Any, done: int) -> None:
        """Put member k where it was after `done` generator steps."""
        self.sources[k].set_state(state)
        if self.num_steps > 1 and done % self.num_steps:
            self._draw_block(k)
            self.step[k] = done % self.num_steps
            self.step_on_device[k].fill_(self.step[k])
