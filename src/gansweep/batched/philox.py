"""Random words as a function of key and counter: Philox4x64-10.

    w_1 ... w_4 = philox(key, counter),   key = 128 bits,   counter = (1 + block, step, piece, 0)

Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", SC11. Every block of four words is computed from
its counter alone, without a state. With numpy, the words of a piece are

    numpy.random.Philox(key=key, counter=[0, step, piece, 0]).random_raw(4 * num_blocks)

and those of all devices are equal to them, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

ROUNDS = 10
MULTIPLIERS = 0xD2E7470EE14C6C93, 0xCA5A826395121157
WEYL = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B  # added to the key after every round

Key = tuple[int, int]


class Words(Protocol):
    """Random words of K members; each has its own key, and all have pieces of the same sizes."""

    def __call__(self, done: Sequence[int], step: Tensor, pieces: slice, rows: slice = slice(None)) -> Tensor:
        """Return the words of consecutive pieces, one piece after the other, as int64 (n, 4 * blocks).

        Args:
            done: step of each of the n members.
            step: the same on the device, (n,).
            pieces: range of pieces.
            rows: range of members. Default: all.
        """
        ...


def words_of(keys: Sequence[Key], num_blocks: Sequence[int], device: torch.device) -> Words:
    """Return the words of members with the given keys, on a device.

    Args:
        keys: one per member.
        num_blocks: number of blocks of four words of every piece.
        device: where the words are used. On a CPU numpy computes them, on CUDA one kernel if Triton is installed.
    """
    return (HostWords if device.type == "cpu" else DeviceWords)(keys, num_blocks, device)


class HostWords:
    """Random words computed by numpy."""

    def __init__(self, keys: Sequence[Key], num_blocks: Sequence[int], device: torch.device) -> None:
        self.sizes = [(piece, 4 * size) for piece, size in enumerate(num_blocks)]
        self.bits: Any = np.random.Philox()
        self.states = [_state(key) for key in keys]

    def __call__(self, done: Sequence[int], step: Tensor, pieces: slice, rows: slice = slice(None)) -> Tensor:
        """Return the words (n, 4 * blocks) of consecutive pieces."""
        parts, bits, sizes = [], self.bits, self.sizes[pieces]
        for state, at in zip(self.states[rows], done, strict=True):
            counter = state["state"]["counter"]
            for piece, size in sizes:
                counter[1], counter[2] = at, piece
                bits.state = state
                parts.append(bits.random_raw(size))
        words = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return torch.from_numpy(words.view(np.int64)).view(len(done), -1)


def _state(key: Key) -> dict[str, Any]:
    """Return the state in which numpy's bit generator begins with block 0 of step 0: it counts before each block."""
    inner = {"counter": [0, 0, 0, 0], "key": list(key)}
    return {
        "bit_generator": "Philox",
        "state": inner,
        "buffer": [0] * 4,
        "buffer_pos": 4,
        "has_uint32": 0,
        "uinteger": 0,
    }


class DeviceWords:
    """Random words computed on the device, in one kernel if Triton is installed."""

    def __init__(self, keys: Sequence[Key], num_blocks: Sequence[int], device: torch.device) -> None:
        self.num_blocks, self.device = list(num_blocks), device
        self.keys = torch.tensor([[_signed(word) for word in key] for key in keys], device=device)
        self.compute = kernel(device)
        self.counters: dict[tuple[int, int], tuple[Tensor, Tensor]] = {}  # of several pieces, for all steps

    def __call__(self, done: Sequence[int], step: Tensor, pieces: slice, rows: slice = slice(None)) -> Tensor:
        """Return the words (n, 4 * blocks) of consecutive pieces."""
        first, last, _ = pieces.indices(len(self.num_blocks))
        if (first, last) in self.counters:
            counters = self.counters[first, last]
        else:
            counters = self._counters(first, last)
            if last - first > 1:  # single pieces may be large
                self.counters[first, last] = counters
        return self.compute(self.keys[rows], step, *counters).flatten(1)

    def _counters(self, first: int, last: int) -> tuple[Tensor, Tensor]:
        """Return first and third word of the counters of all blocks of consecutive pieces, (T,) each."""
        sizes = self.num_blocks[first:last]
        blocks = [torch.arange(1, size + 1, device=self.device) for size in sizes]
        each = [torch.full((size,), piece, device=self.device) for piece, size in enumerate(sizes, first)]
        return torch.cat(blocks), torch.cat(each)


def kernel(device: torch.device) -> Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]:
    """Return the function that computes words on a device: one kernel on CUDA, else `philox`."""
    if device.type == "cuda":
        try:
            from gansweep.batched.philox_triton import philox_triton
        except ImportError:  # PyTorch for Windows comes without Triton
            return philox
        return philox_triton
    return philox


def philox(keys: Tensor, steps: Tensor, blocks: Tensor, pieces: Tensor) -> Tensor:
    """Return the words of every member and block, (K, T, 4).

    All tensors are int64 and hold the bits of unsigned words, because few operations support uint64.

    Args:
        keys: (K, 2).
        steps: second word of the counter, (K,).
        blocks: first word of the counter, (T,).
        pieces: third word of the counter, (T,).
    """
    k0, k1 = keys[:, :1], keys[:, 1:]
    c0, c1, c2, c3 = blocks[None], steps[:, None], pieces[None], torch.zeros_like(steps)[:, None]
    for n in range(ROUNDS):
        if n > 0:
            k0, k1 = k0 + _signed(WEYL[0]), k1 + _signed(WEYL[1])
        high_0, low_0 = _product(c0, MULTIPLIERS[0])
        high_1, low_1 = _product(c2, MULTIPLIERS[1])
        c0, c1, c2, c3 = high_1 ^ c1 ^ k0, low_1, high_0 ^ c3 ^ k1, low_0
    return torch.stack([c0, c1.expand_as(c0), c2, c3.expand_as(c2)], -1)


def _product(x: Tensor, factor: int) -> tuple[Tensor, Tensor]:
    """Return the high and the low 64 bits of the product of two unsigned words, from products of their halves."""
    low, high = x & 0xFFFFFFFF, _high(x)
    factor_low, factor_high = factor & 0xFFFFFFFF, factor >> 32
    middle = high * factor_low + _high(low * factor_low)
    other = low * factor_high + (middle & 0xFFFFFFFF)
    return high * factor_high + _high(middle) + _high(other), x * _signed(factor)


def _high(x: Tensor) -> Tensor:
    return (x >> 32) & 0xFFFFFFFF


def _signed(word: int) -> int:
    """Return the signed integer with the bits of an unsigned word."""
    return word - 2**64 if word >= 2**63 else word
