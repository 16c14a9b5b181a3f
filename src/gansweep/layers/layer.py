"""What a layer over the member axis is, and what it is told during a pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from gansweep.interfaces import Draw, Slot


@dataclass
class Pass:
    """What one forward pass needs besides parameters and input.

    Args:
        masks: one per draw of the network, (K, B, ...), in the order of `Network.draws`.
        buffers: running statistics of the network by name, each (K, ...).
        training: batch statistics and masks are used; otherwise the running ones, and none.
        updates: where layers leave the new values of buffers; the caller decides to keep them.
    """

    masks: Sequence[Tensor] = ()
    buffers: dict[str, Tensor] = field(default_factory=dict)
    training: bool = True
    updates: dict[str, Tensor] = field(default_factory=dict)


PullBack = Callable[[Tensor], Tensor]  # dL/dy -> dL/dx


@runtime_checkable
class Layer(Protocol):
    """A map of (K, B, ...) to (K, B, ...) that treats every member by its own parameters.

    `couples_samples` says that a sample's output depends on the other samples of its batch
    (batch normalisation). `piecewise_linear` says that it is affine between kinks, so that
    its input gradient is a product of weights and constants. `ignores_input` says that the
    output is the same for all inputs.
    """

    slots: tuple[Slot, ...]
    buffers: tuple[Slot, ...]
    draws: tuple[Draw, ...]
    couples_samples: bool
    piecewise_linear: bool
    ignores_input: bool

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Map x (K, B, ...); `params` are the layer's slots, each (K, *shape)."""
        ...

    def pull_back(self, params: Sequence[Tensor], x: Tensor, slope: Tensor, state: Pass) -> Tensor:
        """Turn dL/dy into dL/dx at input x. Asked of piecewise linear layers only."""
        ...

    def linearised(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> tuple[Tensor, PullBack]:
        """Map x, without a gradient, and keep for the way back what both ways need."""
        ...

    def begin(self, params: Sequence[Tensor], buffers: dict[str, Tensor]) -> None:
        """Bring fresh buffers into line with the first parameters, in place."""
        ...


class Parameterless:
    """The empty answers of a layer that has nothing to learn or to draw."""

    slots: tuple[Slot, ...] = ()
    buffers: tuple[Slot, ...] = ()
    draws: tuple[Draw, ...] = ()
    couples_samples = False
    piecewise_linear = True
    ignores_input = False

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Refuse: every layer has its own."""
        raise NotImplementedError(f"{type(self).__name__} maps nothing")

    def pull_back(self, params: Sequence[Tensor], x: Tensor, slope: Tensor, state: Pass) -> Tensor:
        """Refuse: a layer that is affine between kinks has its own."""
        raise NotImplementedError(f"{type(self).__name__} is not piecewise linear")

    def linearised(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> tuple[Tensor, PullBack]:
        """Keep nothing but the input."""
        with torch.no_grad():
            y = self.forward(params, x, state)
        return y, lambda slope: self.pull_back(params, x, slope, state)

    def begin(self, params: Sequence[Tensor], buffers: dict[str, Tensor]) -> None:
        """Leave them."""
        return None


def at_least_float32(x: Tensor) -> Tensor:
    """Convert bfloat16, in which autocast computes matrix products and convolutions, to float32.

    Outputs of networks, batch statistics and everything computed from them (losses, penalties,
    norms) are in float32; tensors of other types are returned unchanged.
    """
    return x.float() if x.dtype == torch.bfloat16 else x


def each_member(function: Callable[..., Tensor], *tensors: Tensor) -> Tensor:
    """Apply `function` to every member's slice and stack the results.

    The kernels that torch picks for one member then do not depend on K, which keeps
    results equal to the last bit. At K = 1 it costs a view.
    """
    if tensors[0].shape[0] == 1:  # squeezed: the backward pass of an index fills a matrix with zeros
        return function(*(t.squeeze(0) for t in tensors)).unsqueeze(0)
    return torch.stack([function(*slices) for slices in zip(*tensors, strict=True)])
