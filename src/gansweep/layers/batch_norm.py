"""Batch normalisation over the member axis."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gansweep.interfaces import Slot
from gansweep.layers.layer import Parameterless, Pass, at_least_float32


class BatchNorm(Parameterless):
    """y = scale * (x - mean) / sqrt(var + eps) + shift, over the batch and the pixels.

    As `torch.nn.BatchNorm2d` (or `1d` where samples have no pixels): training uses the
    batch's own biased variance and moves the running statistics towards the batch's mean
    and unbiased variance by `momentum`; evaluation uses the running ones. Statistics are
    computed in float32 under autocast too.
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
        """Map (K, B, C, ...) to the same shape."""
        x = at_least_float32(x)
        name_mean, name_var = (slot.name for slot in self.buffers)
        pixels = tuple(range(3, x.ndim))

        def spread(row: Tensor) -> Tensor:
            # over the batch first: its backward then sums over pixels first, as below
            return row[:, None].expand(-1, x.shape[1], -1).reshape(*x.shape[:3], *(1 for _ in pixels))

        if state.training:
            # pixels first, then the batch: threads never share a sum, which they do where all
            # of it is one number, and only at K = 1
            mean = x.mean(pixels).mean(1) if pixels else x.mean(1)
            centred = x - spread(mean)
            squares = centred.square()
            var = squares.mean(pixels).mean(1) if pixels else squares.mean(1)
            count = x[0, :, 0].numel()
            with torch.no_grad():
                state.updates[name_mean] = torch.lerp(state.buffers[name_mean], mean.detach(), self.momentum)
                unbiased = var.detach() * (count / max(count - 1, 1))
                state.updates[name_var] = torch.lerp(state.buffers[name_var], unbiased, self.momentum)
        else:
            centred = x - spread(state.buffers[name_mean])
            var = state.buffers[name_var]
        scale, shift = params
        return centred * spread(scale * (var + self.eps).rsqrt()) + spread(shift)
