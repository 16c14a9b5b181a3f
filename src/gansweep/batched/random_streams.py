"""Random draws of every step from the members' named streams."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from gansweep.batched.rng_prefetch import Ahead, Piece
from gansweep.data.order import Order
from gansweep.layers import Network
from gansweep.layers.dropout import mask, mask_draws
from gansweep.seeding import Streams


class Draws:
    """Random streams by name, with the draws that one step makes from each, in order.

    An algorithm registers the draws of a step once and then requests them in every step. On accelerators, the
    numbers of many steps are drawn in one call (`Ahead`); the numbers are the same.

    Args:
        streams: one set per member.
        device: of the numbers.
        ahead: draw for many steps in one call. Default: True on accelerators, False on CPU.
    """

    def __init__(self, streams: Sequence[Streams], device: torch.device, *, ahead: bool | None = None) -> None:
        self._streams, self._device = streams, device
        self._at_once = device.type == "cpu" if ahead is None else not ahead
        self._planned: dict[str, list[tuple[slice, Ahead]]] = {}
        self._of_move: dict[str, int] = {}

    def plan(self, name: str, pieces: Sequence[Piece], rows: slice | None = None, *, of_move: int = 0) -> None:
        """Register the draws of a step from a stream, for all members or for the members in `rows`.

        `of_move`: number of pieces per player update, for updates that `leave_out` may skip.
        """
        rows = slice(0, len(self._streams)) if rows is None else rows
        self._add(name, [stream[name] for stream in self._streams[rows]], pieces, rows, of_move)

    def plan_batches(self, num_samples: int, batch_size: int, count: int, *, of_move: int = 0) -> None:
        """Register `count` batches of data per step, as indices (K, B) from the stream `order`."""
        sources = [Order(num_samples, batch_size, stream["order"]) for stream in self._streams]
        pieces = [Piece(Order.next, 8 * batch_size)] * count
        self._add("order", sources, pieces, slice(0, len(sources)), of_move)

    def _add(self, name: str, sources: Sequence[Any], pieces: Sequence[Piece], rows: slice, of_move: int) -> None:
        if pieces:
            ahead = Ahead(sources, pieces, self._device, at_once=self._at_once)
            self._planned.setdefault(name, []).append((rows, ahead))
            self._of_move[name] = of_move

    def leave_out(self, moves: int) -> None:
        """Skip the draws of `moves` further player updates in this step."""
        for name, parts in self._planned.items():
            for _, ahead in parts:
                ahead.leave_out(moves * self._of_move[name])

    def __contains__(self, name: str) -> bool:
        return name in self._planned

    def next(self, name: str) -> Tensor:
        """Return the next piece (K, ...) of a stream that all members have."""
        return self._planned[name][0][1].next()

    def next_by_rows(self, name: str) -> list[Tensor]:
        """Return the next piece of every part of a stream, in the order in which the rows were registered."""
        return [ahead.next() for _, ahead in self._planned[name]]

    def masks(self, name: str, network: Network) -> list[Tensor]:
        """Return the dropout masks of one pass of a network."""
        return [self.next(name) for _ in network.draws]

    def export(self, row: int) -> dict[str, Any]:
        """Return the states of a member's streams."""
        return {
            name: ahead.export(row - rows.start)
            for name, parts in self._planned.items()
            for rows, ahead in parts
            if rows.start <= row < rows.stop
        }

    def restore(self, row: int, saved: dict[str, Any], done: int) -> None:
        """Restore the states of a member's streams after `done` steps."""
        for name, state in saved.items():
            for rows, ahead in self._planned.get(name, ()):
                if rows.start <= row < rows.stop:
                    ahead.restore(row - rows.start, state, done)


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
