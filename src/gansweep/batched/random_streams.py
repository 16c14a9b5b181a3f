"""Random draws of every step from the members' named streams, drawn for many steps in one call on accelerators."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from gansweep.data.order import Order
from gansweep.layers import Network
from gansweep.layers.dropout import mask, mask_draws
from gansweep.seeding import Streams

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


class Prefetch:
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
        self._advance(1)
        return piece.finish(drawn)

    def peek(self) -> Tensor:
        """Return what `next` will return, without moving on."""
        piece = self.pieces[self.at]
        if self.num_steps == 1:
            states = [source.get_state() for source in self.sources]
            drawn = torch.cat([piece.draw(source, 1) for source in self.sources])
            for source, state in zip(self.sources, states, strict=True):
                source.set_state(state)
            return piece.finish(drawn)
        if self.at == 0:
            self._begin_step()
        block = self.blocks[self.at]
        assert block is not None
        return piece.finish(block[self.rows, self.step_on_device])

    def skip(self, count: int) -> None:
        """Skip the next `count` pieces of this step. Prefetched pieces are drawn anyway."""
        if self.at == 0 and count > 0 and self.num_steps > 1:
            self._begin_step()
        self._advance(count)

    def _advance(self, count: int) -> None:
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


class Draws:
    """Random streams by name, with the draws that one step makes from each, in order.

    An algorithm registers the draws of a step once and then requests them in every step. On accelerators, the
    numbers of many steps are drawn in one call (`Prefetch`); the numbers are the same.

    Args:
        streams: one set per member.
        device: of the numbers.
        ahead: draw for many steps in one call. Default: True on accelerators, False on CPU.
    """

    def __init__(self, streams: Sequence[Streams], device: torch.device, *, ahead: bool | None = None) -> None:
        self._streams, self._device = streams, device
        self._at_once = device.type == "cpu" if ahead is None else not ahead
        self._planned: dict[str, list[tuple[slice, Prefetch]]] = {}
        self._per_update: dict[str, int] = {}

    def plan(self, name: str, pieces: Sequence[Piece], rows: slice | None = None, *, per_update: int = 0) -> None:
        """Register the draws of a step from a stream, for all members or for the members in `rows`.

        `per_update`: number of pieces per player update, for updates that `skip` may skip.
        """
        rows = slice(0, len(self._streams)) if rows is None else rows
        self._add(name, [stream[name] for stream in self._streams[rows]], pieces, rows, per_update)

    def plan_batches(self, num_samples: int, batch_size: int, count: int, *, per_update: int = 0) -> None:
        """Register `count` batches of data per step, as indices (K, B) from the stream `order`."""
        sources = [Order(num_samples, batch_size, stream["order"]) for stream in self._streams]
        pieces = [Piece(Order.next, 8 * batch_size)] * count
        self._add("order", sources, pieces, slice(0, len(sources)), per_update)

    def _add(self, name: str, sources: Sequence[Any], pieces: Sequence[Piece], rows: slice, per_update: int) -> None:
        if pieces:
            prefetch = Prefetch(sources, pieces, self._device, at_once=self._at_once)
            self._planned.setdefault(name, []).append((rows, prefetch))
            self._per_update[name] = per_update

    def skip(self, num_updates: int) -> None:
        """Skip the draws of `num_updates` further player updates in this step."""
        for name, parts in self._planned.items():
            for _, prefetch in parts:
                prefetch.skip(num_updates * self._per_update[name])

    def __contains__(self, name: str) -> bool:
        return name in self._planned

    def next(self, name: str) -> Tensor:
        """Return the next piece (K, ...) of a stream that all members have."""
        return self._planned[name][0][1].next()

    def peek(self, name: str) -> Tensor:
        """Return what `next` will return, without a change of the streams."""
        return self._planned[name][0][1].peek()

    def next_by_rows(self, name: str) -> list[Tensor]:
        """Return the next piece of every part of a stream, in the order in which the rows were registered."""
        return [prefetch.next() for _, prefetch in self._planned[name]]

    def masks(self, name: str, network: Network) -> list[Tensor]:
        """Return the dropout masks of one pass of a network."""
        return [self.next(name) for _ in network.draws]

    def export(self, row: int) -> dict[str, Any]:
        """Return the states of a member's streams."""
        return {
            name: prefetch.export(row - rows.start)
            for name, parts in self._planned.items()
            for rows, prefetch in parts
            if rows.start <= row < rows.stop
        }

    def restore(self, row: int, saved: dict[str, Any], done: int) -> None:
        """Restore the states of a member's streams after `done` steps."""
        for name, state in saved.items():
            for rows, prefetch in self._planned.get(name, ()):
                if rows.start <= row < rows.stop:
                    prefetch.restore(row - rows.start, state, done)


def normal(size: int, *shape: int, device: torch.device) -> Piece:
    """Return a piece of numbers from N(0, 1), (size, *shape) per member."""
    return _drawn(torch.randn, size, shape, device)


def uniform(size: int, *shape: int, device: torch.device) -> Piece:
    """Return a piece of numbers from U[0, 1], (size, *shape) per member."""
    return _drawn(torch.rand, size, shape, device)


def permutation(size: int, *, device: torch.device) -> Piece:
    """Return a piece that is a random permutation of `size` indices per member."""

    def draw_many(generator: torch.Generator, count: int) -> Tensor:
        return torch.stack([torch.randperm(size, generator=generator, device=device) for _ in range(count)])

    return Piece(draw_many, 8 * size)


def masks_of(network: Network, size: int) -> list[Piece]:
    """Return the pieces for the dropout masks of one pass of a network over `size` samples."""
    return [
        Piece(partial(mask_draws, draw, size), 2 * size * math.prod(draw.shape), partial(mask, draw))
        for draw in network.draws
    ]


def _drawn(draw: Callable[..., Tensor], size: int, shape: tuple[int, ...], device: torch.device) -> Piece:
    def draw_many(generator: torch.Generator, count: int) -> Tensor:
        return draw(count, size, *shape, generator=generator, device=device)

    return Piece(draw_many, 4 * size * math.prod(shape))
