"""Random draws of every step from the members' named streams."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from gansweep.batched import transforms
from gansweep.batched.order import Order
from gansweep.batched.philox import words_of
from gansweep.layers import Network
from gansweep.layers.dropout import mask
from gansweep.seeding import Streams

# Largest draws of a step that are made in one call: of all members on a CPU, of one member on accelerators, in bytes.
MOST_ON_CPU, MOST_PER_MEMBER = 1 << 20, 1 << 25


class Piece(NamedTuple):
    """One random draw of a step.

    Args:
        num_words: number of random words of 64 bits, a multiple of 4.
        finish: function from words (..., num_words), as int64, to the numbers (..., *shape) that the step uses.
    """

    num_words: int
    finish: Callable[[Tensor], Tensor]


class Stream:
    """Draws of K members from streams of one name.

    The numbers of a piece are a function of the member's seed, the name, the step and the index of the piece. Small
    draws of a step are made in one call, to reduce the number of operations.

    Args:
        streams: one set per member.
        name: of the streams.
        pieces: draws of a step, in the order in which they are requested.
        device: of the numbers.
    """

    def __init__(self, streams: Sequence[Streams], name: str, pieces: Sequence[Piece], device: torch.device) -> None:
        self.pieces = tuple(pieces)
        sizes = [piece.num_words for piece in pieces]
        self.words = words_of([stream.key(name) for stream in streams], [size // 4 for size in sizes], device)
        on_cpu, num_bytes = device.type == "cpu", 8 * sum(sizes)
        self.together = num_bytes * len(streams) <= MOST_ON_CPU if on_cpu else num_bytes <= MOST_PER_MEMBER
        self.alike = all(piece == pieces[0] for piece in pieces)

    def of_step(self, done: Sequence[int], step: Tensor) -> Iterator[Tensor]:
        """Yield the pieces (K, ...) of the step after `done` steps of each member, on the device `step` (K,)."""
        if not self.together:
            for at, piece in enumerate(self.pieces):
                yield piece.finish(self.words(done, step, slice(at, at + 1)))
            return
        words = self.words(done, step, slice(None))
        if self.alike:
            yield from self.pieces[0].finish(words.unflatten(1, (len(self.pieces), -1))).unbind(1)
            return
        parts = words.split([piece.num_words for piece in self.pieces], 1)
        for piece, part in zip(self.pieces, parts, strict=True):
            yield piece.finish(part)


class Draws:
    """Random streams by name, with the draws that one step makes from each, in order.

    An algorithm registers the draws of a step once and then requests them in every step. A step need not request
    all of them. There is no state besides the step: a member's numbers depend neither on the other members, nor on
    the draws from other streams, nor on interruptions, nor on the device, except for the rounding of normal numbers.

    Args:
        streams: one set per member.
        device: of the numbers.
    """

    def __init__(self, streams: Sequence[Streams], device: torch.device) -> None:
        self._streams, self._device, self._all = streams, device, slice(0, len(streams))
        self._planned: dict[str, list[tuple[slice, Stream | Order]]] = {}
        self.begin([0] * len(streams), torch.zeros(len(streams), dtype=torch.int64, device=device))

    def plan(self, name: str, pieces: Sequence[Piece], rows: slice | None = None) -> None:
        """Register the draws of a step from a stream, for all members or for the members in `rows`."""
        if pieces:
            rows = self._all if rows is None else rows
            stream = Stream(self._streams[rows], name, pieces, self._device)
            self._planned.setdefault(name, []).append((rows, stream))

    def plan_batches(
        self, num_samples: int, batch_size: int, count: int, *, before: Sequence[int] | None = None
    ) -> None:
        """Register `count` batches of data per step, as indices (K, B) from the stream `order`.

        `before`: number of batches before each step, if it is not `count` times the step.
        """
        keys = [stream.key("order") for stream in self._streams]
        self._order = Order(keys, num_samples, batch_size, count, self._device, before=before)
        self._planned["order"] = [(self._all, self._order)]

    def begin(self, done: Sequence[int], step: Tensor) -> None:
        """Begin the step after `done` steps of each member; `step` are the same numbers on the device, (K,)."""
        self._done, self._step = list(done), step.clone()
        self._now: dict[str, list[Iterator[Tensor]]] = {}  # what remains of the streams in this step

    def __contains__(self, name: str) -> bool:
        return name in self._planned

    def next(self, name: str) -> Tensor:
        """Return the next piece (K, ...) of a stream that all members have."""
        return next(self._parts(name)[0])

    def peek_batch(self) -> Tensor:
        """Return the batch (K, B) after the one that was requested last, which may be of the next step."""
        return self._order.peek()

    def next_by_rows(self, name: str) -> list[Tensor]:
        """Return the next piece of every part of a stream, in the order in which the rows were registered."""
        return [next(part) for part in self._parts(name)]

    def _parts(self, name: str) -> list[Iterator[Tensor]]:
        if name not in self._now:
            self._now[name] = [
                stream.of_step(self._done[rows], self._step if rows == self._all else self._step[rows])
                for rows, stream in self._planned[name]
            ]
        return self._now[name]

    def masks(self, name: str, network: Network) -> list[Tensor]:
        """Return the dropout masks of one pass of a network."""
        return [self.next(name) for _ in network.draws]


def normal(size: int, *shape: int, as_bits: bool = False) -> Piece:
    """Return a piece of numbers from N(0, 1), (size, *shape) per member.

    `as_bits`: the piece is random integers, which `finished(transforms.normal_of, ...)` converts.
    """
    return _integers(size, shape) if as_bits else _piece(2, transforms.normal, size, shape)


def uniform(size: int, *shape: int, as_bits: bool = False) -> Piece:
    """Return a piece of numbers from U[0, 1), (size, *shape) per member; `as_bits` as in `normal`."""
    return _integers(size, shape) if as_bits else _piece(2, transforms.uniform, size, shape)


def finished(transform: Callable[[Tensor], Tensor], drawn: Tensor, size: int, *shape: int) -> Tensor:
    """Return the numbers (..., size, *shape) of a piece; those that are still random integers are converted."""
    if drawn.dtype != torch.int32:
        return drawn
    return transform(drawn)[..., : size * math.prod(shape)].unflatten(-1, (size, *shape))


def permutation(size: int) -> Piece:
    """Return a piece that is a random permutation of `size` indices per member."""
    return _piece(2, partial(transforms.permutation, size=size), size, ())


def masks_of(network: Network, size: int, *, as_bits: bool = False) -> list[Piece]:
    """Return the pieces for the dropout masks of one pass of a network over `size` samples.

    `as_bits`: the pieces are random numbers of 16 bits, which `layers.dropout.from_bits` converts to masks.
    """
    pieces = [(draw, _piece(4, transforms.bits_16, size, draw.shape)) for draw in network.draws]
    if as_bits:
        return [bits for _, bits in pieces]
    return [Piece(bits.num_words, lambda words, d=draw, b=bits: mask(d, b.finish(words))) for draw, bits in pieces]


def _integers(size: int, shape: tuple[int, ...]) -> Piece:
    return Piece(transforms.words_for(size * math.prod(shape), 2), transforms.integers)


def _piece(per_word: int, transform: Callable[[Tensor], Tensor], size: int, shape: tuple[int, ...]) -> Piece:
    """Return a piece whose transform returns at least `per_word` numbers for every word."""
    count = size * math.prod(shape)

    def finish(words: Tensor) -> Tensor:
        return transform(words)[..., :count].unflatten(-1, (size, *shape))

    return Piece(transforms.words_for(count, per_word), finish)
