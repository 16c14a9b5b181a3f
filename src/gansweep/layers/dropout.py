"""Dropout, and the random masks that the caller passes to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansweep.layers.layer import Draw, Parameterless, Pass, PullBack

if TYPE_CHECKING:
    from gansweep.layers.plain import Builder


class Dropout(Parameterless):
    """Inverted dropout, active in training only.

        y = x * mask,   mask = 1 / keep with probability keep = 1 - p, otherwise 0

    Srivastava et al. 2014, in the inverted form of `torch.nn.Dropout`.

    Args:
        shape: shape of one sample.
        p: probability that an entry is dropped.
        in_evaluation: apply dropout in evaluation as well, with a new mask from torch's global random
            stream in every pass. This is a mistake of some implementations; it is available to
            reproduce their results.
    """

    def __init__(self, shape: tuple[int, ...], p: float, in_evaluation: bool = False) -> None:
        if not 0 <= p < 1:
            raise ValueError(f"p={p}: expected a probability 0 <= p < 1")
        self.draws = (Draw(shape, 1.0 - p),)
        self.in_evaluation = in_evaluation

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Return x times the mask in training, otherwise x."""
        if state.training:
            return x * state.masks[0]
        return x * self._new_mask(x) if self.in_evaluation else x

    def pull_back(self, params: Sequence[Tensor], x: Tensor, grad_output: Tensor, state: Pass) -> Tensor:
        """Return dL/dx: dL/dy times the same mask."""
        return self.forward(params, grad_output, state)

    def push_forward(self, params: Sequence[Tensor], x: Tensor, tangent: Tensor, state: Pass) -> Tensor:
        """Return dy for dx = `tangent`, with the same mask."""
        return self.forward(params, tangent, state)

    def linearised(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> tuple[Tensor, PullBack]:
        """Return y and the function from dL/dy to dL/dx; both use the same mask."""
        if state.training or not self.in_evaluation:
            return super().linearised(params, x, state)
        mask = self._new_mask(x)
        return x * mask, lambda grad: grad * mask

    def plain(self, x: Any, build: Builder) -> Any:
        """Add `nn.Dropout`, or a call that is active in evaluation too."""
        p = round(1.0 - self.draws[0].keep, 12)
        return F.dropout(x, p, training=True) if self.in_evaluation else build.call(nn.Dropout(p), x)

    def _new_mask(self, x: Tensor) -> Tensor:
        return F.dropout(torch.ones_like(x), 1.0 - self.draws[0].keep)


def mask(draw: Draw, bits: Tensor) -> Tensor:
    """Return the mask (..., B, *shape): 1 / keep with probability keep, otherwise 0, accurate to 1 / 65536.

    Args:
        draw: the draw that the layer declares; only `keep` is used.
        bits: random numbers of 16 bits for its entries, as int16.
    """
    num_kept = max(1, round(draw.keep * 65536))  # of the 65536 values of a number
    if torch.compiler.is_compiling():
        return torch.le(bits, num_kept - 1 - 32768).to(torch.get_default_dtype()).div(draw.keep)
    factors = torch.empty(bits.shape, device=bits.device)  # compared and written in one pass
    return torch.le(bits, num_kept - 1 - 32768, out=factors).div_(draw.keep)  # not <: its bound may exceed int16


def from_bits(masks: Sequence[Tensor], draws: Sequence[Draw]) -> list[Tensor]:
    """Return masks, one per draw; those that are still random numbers of 16 bits are converted."""
    return [
        mask(draw, drawn) if drawn.dtype == torch.int16 else drawn for draw, drawn in zip(draws, masks, strict=True)
    ]
