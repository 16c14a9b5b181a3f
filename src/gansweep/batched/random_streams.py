"""What the members' random streams give in every step."""

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
from gansweep.layers.mask import lots, mask
from gansweep.seeding import Streams


class Draws:
    """Streams by name, each with the pieces that one step takes of it, in the order of taking.

    An algorithm says once what a step takes, and then takes it; where calls are dear, the numbers of
    many steps are drawn at once (`Ahead`), and nobody sees a difference.

    Args:
        streams: one set per member.
        device: where the numbers are wanted.
        ahead: draw for many steps at once; by itself, wherever it is no CPU.
    """

    def __init__(self, streams: Sequence[Streams], device: torch.device, *, ahead: bool | None = None) -> None:
        self._streams, self._device = streams, device
        self._at_once = device.type == "cpu" if ahead is None else not ahead
        self._planned: dict[str, list[tuple[slice, Ahead]]] = {}
        self._of_move: dict[str, int] = {}

    def plan(self, name: str, pieces: Sequence[Piece], rows: slice | None = None, *, of_move: int = 0) -> None:
        """Say what a step takes of a stream, for all members or for some `rows` of them.

        `of_move` says how many pieces belong to each of the moves that may be left out.
        """
        rows = slice(0, len(self._streams)) if rows is None else rows
        self._add(name, [one[name] for one in self._streams[rows]], pieces, rows, of_move)

    def plan_batches(self, num_samples: int, batch_size: int, count: int, *, of_move: int = 0) -> None:
        """Say that a step takes `count` batches of the data, as indices (K, B), of the stream `order`."""
        sources = [Order(num_samples, batch_size, one["order"]) for one in self._streams]
        pieces = [Piece(Order.next, 8 * batch_size)] * count
        self._add("order", sources, pieces, slice(0, len(sources)), of_move)

    def _add(self, name: str, sources: Sequence[Any], pieces: Sequence[Piece], rows: slice, of_move: int) -> None:
        if pieces:
            ahead = Ahead(sources, pieces, self._device, at_once=self._at_once)
            self._planned.setdefault(name, []).append((rows, ahead))
            self._of_move[name] = of_move

    def leave_out(self, moves: int) -> None:
        """Pass over what the step would have taken for so many more moves."""
        for name, parts in self._planned.items():
            for _, ahead in parts:
                ahead.leave_out(moves * self._of_move[name])

    def __contains__(self, name: str) -> bool:
        return name in self._planned

    def next(self, name: str) -> Tensor:
        """Take the next piece (K, ...) of a stream that all members have."""
        return self._planned[name][0][1].next()

    def next_by_rows(self, name: str) -> list[Tensor]:
        """Take the next piece of every part of a stream, in the order in which their rows were planned."""
        return [ahead.next() for _, ahead in self._planned[name]]

    def masks(self, name: str, network: Network) -> list[Tensor]:
        """Take the masks that one pass of a network needs."""
        return [self.next(name) for _ in network.draws]

    def export(self, row: int) -> dict[str, Any]:
        """Return where a member's streams are."""
        return {
            name: ahead.export(row - rows.start)
            for name, parts in self._planned.items()
            for rows, ahead in parts
            if rows.start <= row < rows.stop
        }

    def restore(self, row: int, saved: dict[str, Any], done: int) -> None:
        """Put a member's streams where they were after `done` steps."""
        for name, state in saved.items():
            for rows, ahead in self._planned.get(name, ()):
                if rows.start <= row < rows.stop:
                    ahead.restore(row - rows.start, state, done)


def normal(size: int, *shape: int, device: torch.device) -> Piece:
    """Return the piece of numbers ~ N(0, 1), for `size` samples of a shape."""
    return _drawn(torch.randn, size, shape, device)


def uniform(size: int, *shape: int, device: torch.device) -> Piece:
    """Return the piece of numbers ~ U[0, 1], likewise."""
    return _drawn(torch.rand, size, shape, device)


def permutation(size: int, *, device: torch.device) -> Piece:
    """Return the piece of a random order of `size` things."""

    def these(generator: torch.Generator, count: int) -> Tensor:
        return torch.stack([torch.randperm(size, generator=generator, device=device) for _ in range(count)])

    return Piece(these, 8 * size)


def masks_of(network: Network, size: int) -> list[Piece]:
    """Return the pieces that one pass of a network over `size` samples takes."""
    return [
        Piece(partial(lots, draw, size), 2 * size * math.prod(draw.shape), partial(mask, draw))
        for draw in network.draws
    ]


def _drawn(draw: Callable[..., Tensor], size: int, shape: tuple[int, ...], device: torch.device) -> Piece:
    def these(generator: torch.Generator, count: int) -> Tensor:
        return draw(count, size, *shape, generator=generator, device=device)

    return Piece(these, 4 * size * math.prod(shape))
