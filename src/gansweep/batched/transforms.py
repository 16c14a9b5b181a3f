"""Transforms of random words of 64 bits, with any leading shape, to the numbers that a training step uses.

They use operations of PyTorch, so that numbers on all devices are equal except for the rounding of normal numbers.
Their type is torch's default type, as that of `torch.randn`.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor


def words_for(count: int, per_word: int) -> int:
    """Return the number of words for `count` numbers: a multiple of 4.

    >>> words_for(1, 2), words_for(8, 2), words_for(9, 2)
    (4, 4, 8)
    """
    return 4 * -(-count // (4 * per_word))


def integers(words: Tensor) -> Tensor:
    """Return random integers of 32 bits as int32, two per word."""
    return words.view(torch.int32)


def uniform(words: Tensor) -> Tensor:
    """Return numbers n / 2^24 from U[0, 1), two per word."""
    return uniform_of(integers(words))


def uniform_of(drawn: Tensor) -> Tensor:
    """Return the same, given `integers`."""
    return drawn.bitwise_right_shift(8).to(torch.get_default_dtype()).mul_(2.0**-24).add_(0.5)


def normal(words: Tensor) -> Tensor:
    """Return numbers from N(0, 1), two per word.

        x, y = r cos(a), r sin(a),   r = sqrt(-2 log u),   u ~ U(0, 1],   a ~ U[-pi, pi)

    Box and Muller 1958. The first half of the words determines u, as the absolute value of a signed integer of 32
    bits, the second half a. The largest magnitude of a number is 6.6.
    """
    return normal_of(integers(words))


def normal_of(drawn: Tensor) -> Tensor:
    """Return the same, given `integers`."""
    numbers = drawn.to(torch.get_default_dtype())
    radius, angle = numbers.tensor_split(2, -1)
    radius.square_().add_(1).mul_(2.0**-62).log_().neg_().sqrt_()  # u^2 in (0, 1], -log(u^2) = -2 log u
    cosine = angle.mul_(math.pi * 2.0**-31).cos()
    angle.sin_().mul_(radius)
    radius.mul_(cosine)
    return numbers


def bits_16(words: Tensor) -> Tensor:
    """Return random numbers of 16 bits as int16, four per word."""
    return words.view(torch.int16)


def permutation(words: Tensor, size: int) -> Tensor:
    """Return a permutation of `size` indices: those that sort unsigned keys of 32 bits, two per word.

    Of equal keys the first one precedes. Among 60000 keys, 0.4 pairs are equal on average.
    """
    keys = words.view(torch.int32)[..., :size]
    return by_radix(keys) if keys.device.type == "cpu" else by_sorting(keys)


def by_sorting(keys: Tensor) -> Tensor:
    """Return the indices that sort unsigned keys, whose bits int32 holds."""
    return torch.argsort(keys.bitwise_xor(-(2**31)), dim=-1, stable=True)


def by_radix(keys: Tensor) -> Tensor:
    """Return the same by numpy, which sorts numbers of 16 bits by radix, in a tenth of the time."""
    rows = []
    for row in keys.reshape(-1, keys.shape[-1]).numpy().view(np.uint32):
        order = row.astype(np.uint16).argsort(kind="stable")
        rows.append(order[(row >> 16).astype(np.uint16)[order].argsort(kind="stable")])
    return torch.from_numpy(np.stack(rows)).view(keys.shape)
