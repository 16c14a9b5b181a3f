"""Random masks, in two halves: drawing lots, and turning them into factors."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gansweep.interfaces import Draw


def lots(draw: Draw, rows: int, generator: torch.Generator, count: int) -> Tensor:
    """Draw one member's lots (count, rows, ...): of 65536 numbers on a CPU, yes or no elsewhere.

    On a CPU 64 random bits are four lots of 16, which is seven times faster than `bernoulli_`
    and exact to 1 / 65536. Either way a lot is small enough to be kept for many steps.
    """
    shape = (count, rows, *draw.shape)
    if generator.device.type != "cpu":
        return torch.empty(shape, dtype=torch.bool, device=generator.device).bernoulli_(draw.keep, generator=generator)
    size = math.prod(shape)
    bits = torch.empty((size + 3) // 4, dtype=torch.int64).random_(-(2**63), None, generator=generator)
    return bits.view(torch.int16)[:size].view(shape)


def mask(draw: Draw, drawn: Tensor) -> Tensor:
    """Turn lots into 1 / keep with chance keep, and 0.

    Args:
        draw: what the layer asked for; its `keep` counts.
        drawn: lots (K, B, ...), each U[0, 1).
    """
    if drawn.dtype == torch.bool:
        return drawn.float().div_(draw.keep)
    chances = max(1, round(draw.keep * 65536))
    kept = torch.empty(drawn.shape, device=drawn.device)  # compared and written in one pass
    return torch.le(drawn, chances - 1 - 32768, out=kept).div_(draw.keep)  # not <, whose bound is no int16
