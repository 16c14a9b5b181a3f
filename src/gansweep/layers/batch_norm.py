"""Batch normalisation, separately for each member."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gansweep.interfaces import Slot
from gansweep.layers.layer import Parameterless, Pass, at_least_float32

if TYPE_CHECKING:
    from gansweep.layers.plain import Builder


class BatchNorm(Parameterless):
    """Batch normalisation over the batch and the pixels.

        y = scale * (x - mean) / sqrt(var + eps) + shift

    Equivalent to `torch.nn.BatchNorm2d` for images and `torch.nn.BatchNorm1d` for vectors. Training
    uses the biased variance of the batch and updates the running statistics with the mean and the
    unbiased variance of the batch, weighted by `momentum`. Evaluation uses the running statistics.
    Statistics are computed in float32, also under autocast.
    """

    couples_samples = True
    piecewise_linear = False

    def __init__(self, name: str, num_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        self.eps, self.momentum = eps, momentum
        self.slots = (
            Slot(f"{name}.weight", (num_features,), "scale"),
            Slot(f"{name}.bias", (num_features,), "shift"),
        )
        self.buffers = (
            Slot(f"{name}.running_mean", (num_features,), "statistic"),
            Slot(f"{name}.running_var", (num_features,), "statistic", start=1.0),
        )

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Return the normalised x, of the same shape (K, B, C, ...)."""
        x = at_least_float32(x)
        centred, var = self.centred(x, state)
        scale, shift = params
        return centred * _spread(scale * (var + self.eps).rsqrt(), x) + _spread(shift, x)

    def centred(self, x: Tensor, state: Pass) -> tuple[Tensor, Tensor]:
        """Return x minus its mean, (K, B, C, ...), and its variance (K, C); update the statistics in training."""
        name_mean, name_var = (slot.name for slot in self.buffers)
        pixels = tuple(range(3, x.ndim))
        if state.training:
            # Average over pixels first, then over the batch. A full reduction to one number is split
            # among threads, but only at K = 1, which would make the result depend on K.
            mean = x.mean(pixels).mean(1) if pixels else x.mean(1)
            centred = x - _spread(mean, x)
            squares = centred.square()
            var = squares.mean(pixels).mean(1) if pixels else squares.mean(1)
            count = x[0, :, 0].numel()
            with torch.no_grad():
                state.updates[name_mean] = torch.lerp(state.buffers[name_mean], mean.detach(), self.momentum)
                unbiased = var.detach() * (count / max(count - 1, 1))
                state.updates[name_var] = torch.lerp(state.buffers[name_var], unbiased, self.momentum)
        else:
            centred = x - _spread(state.buffers[name_mean], x)
            var = state.buffers[name_var]
        return centred, var

    def plain(self, x: Any, build: Builder) -> Any:
        """Add `nn.BatchNorm2d` for feature maps and `nn.BatchNorm1d` for vectors."""
        kind, slot = nn.BatchNorm2d if build.on_maps else nn.BatchNorm1d, self.slots[0]
        module = kind(*slot.shape, eps=self.eps, momentum=self.momentum)
        return build.call(module, x, slot.name.rpartition(".")[0])


def _spread(row: Tensor, x: Tensor) -> Tensor:
    """Return a row (K, C) in a shape that multiplies x (K, B, C, ...)."""
    # Expand over the batch first: the backward pass then sums over pixels first, as the mean does.
    return row[:, None].expand(-1, x.shape[1], -1).reshape(*x.shape[:3], *(1 for _ in x.shape[3:]))
