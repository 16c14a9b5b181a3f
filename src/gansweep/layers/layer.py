"""Protocol of batched layers, state of a forward pass, and arithmetic independent of K."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansweep.interfaces import Slot

if TYPE_CHECKING:
    from gansweep.layers.plain import Builder

FOLD = 1024  # torch splits longer sums among threads, but only if there are few rows, as at K = 1


@dataclass(frozen=True)
class Draw:
    """Dropout mask that a layer needs for every sample of a forward pass.

    Args:
        shape: of the mask for one sample.
        keep: probability that an entry is kept. The mask is 1 / keep there and 0 elsewhere.
    """

    shape: tuple[int, ...]
    keep: float


@dataclass
class Pass:
    """State of one forward pass: everything besides parameters and input.

    Args:
        masks: one per draw of the network, (K, B, ...), in the order of `Network.draws`.
        buffers: running statistics of the network by name, each (K, ...).
        training: True: use batch statistics and masks. False: use running statistics and no masks.
        updates: receives the new values of buffers. The caller decides whether to apply them.
        labels: class of every sample, int64 (K, B); None for networks without labels.
    """

    masks: Sequence[Tensor] = ()
    buffers: dict[str, Tensor] = field(default_factory=dict)
    training: bool = True
    updates: dict[str, Tensor] = field(default_factory=dict)
    labels: Tensor | None = None

    def with_masks(self, masks: Sequence[Tensor]) -> Pass:
        """Return this pass with other masks; buffers and their updates are shared."""
        return Pass(masks, self.buffers, self.training, self.updates, self.labels)


PullBack = Callable[[Tensor], Tensor]  # dL/dy -> dL/dx


@runtime_checkable
class Layer(Protocol):
    """Map (K, B, ...) to (K, B, ...) with separate parameters for each member.

    Optional methods `counterpart` and `plain`, as those of `Parameterless`: with them, a trained network can be
    converted to modules of `torch.nn`. Optional methods of piecewise linear layers, with which `penalised_gradients`
    applies: `push_forward(params, x, tangent, state)` returns dy for dx = tangent, and `parameter_gradients(x,
    grad_output, n)` of a layer with slots their gradients, where constant slots such as biases get those of the first
    n samples.

    Attributes:
        couples_samples: the output for a sample depends on the other samples of its batch, as in
            batch normalisation.
        piecewise_linear: the layer is piecewise affine in its input, so that its input gradient is a
            product of weights and constants.
        ignores_input: the output is the same for all inputs.
    """

    slots: tuple[Slot, ...]
    buffers: tuple[Slot, ...]
    draws: tuple[Draw, ...]
    couples_samples: bool
    piecewise_linear: bool
    ignores_input: bool

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Return the output for x (K, B, ...); `params` are the layer's slots, each (K, *shape)."""
        ...

    def pull_back(self, params: Sequence[Tensor], x: Tensor, grad_output: Tensor, state: Pass) -> Tensor:
        """Return dL/dx at input x, given dL/dy. Called for piecewise linear layers only."""
        ...

    def linearised(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> tuple[Tensor, PullBack]:
        """Return the output for x, computed without autograd, and the function from dL/dy to dL/dx."""
        ...

    def begin(self, params: Sequence[Tensor], buffers: dict[str, Tensor]) -> None:
        """Initialise the buffers that depend on the initial parameters, in place."""
        ...


class Parameterless:
    """Default implementation of `Layer`, without parameters, buffers or random draws."""

    slots: tuple[Slot, ...] = ()
    buffers: tuple[Slot, ...] = ()
    draws: tuple[Draw, ...] = ()
    couples_samples = False
    piecewise_linear = True
    ignores_input = False

    def forward(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> Tensor:
        """Raise NotImplementedError: subclasses implement it."""
        raise NotImplementedError(f"{type(self).__name__} does not implement forward")

    def pull_back(self, params: Sequence[Tensor], x: Tensor, grad_output: Tensor, state: Pass) -> Tensor:
        """Raise NotImplementedError: piecewise linear subclasses implement it."""
        raise NotImplementedError(f"{type(self).__name__} is not piecewise linear")

    def linearised(self, params: Sequence[Tensor], x: Tensor, state: Pass) -> tuple[Tensor, PullBack]:
        """Return y, computed without autograd, and the function from dL/dy to dL/dx; only x is stored."""
        with torch.no_grad():
            y = self.forward(params, x, state)
        return y, lambda grad: self.pull_back(params, x, grad, state)

    def begin(self, params: Sequence[Tensor], buffers: dict[str, Tensor]) -> None:
        """Leave the buffers unchanged."""
        return

    def counterpart(self) -> nn.Module:
        """Return the module of `torch.nn` with the same output, on samples (B, ...); its weights are not set.

        Raises:
            NotImplementedError: there is no such module, or the class of a user does not define it.
        """
        raise NotImplementedError(f"{type(self).__name__} has no counterpart in torch.nn")

    def plain(self, x: Any, build: Builder) -> Any:
        """Add this layer to a module that is being built; x and the return value stand for samples (B, ...)."""
        name = self.slots[0].name.rpartition(".")[0] if self.slots else ""
        return build.call(self.counterpart(), x, name)


def at_least_float32(x: Tensor) -> Tensor:
    """Convert bfloat16 to float32; return tensors of other types unchanged.

    Autocast computes matrix products and convolutions in bfloat16. Network outputs, batch statistics
    and everything computed from them (losses, penalties, norms) are in float32.
    """
    return x.float() if x.dtype == torch.bfloat16 else x


def each_member(function: Callable[..., Tensor], *tensors: Tensor) -> Tensor:
    """Apply `function` to the slices of each member and stack the results, (K, ...).

    The kernels that torch selects then do not depend on K, so that results are bitwise equal for
    all K. At K = 1 the cost is one view.
    """
    if tensors[0].shape[0] == 1:  # squeeze instead of index: the backward pass of an index allocates zeros
        return function(*(t.squeeze(0) for t in tensors)).unsqueeze(0)
    return torch.stack([function(*slices) for slices in zip(*tensors, strict=True)])


def per_member(numbers: Tensor, samples: Tensor) -> Tensor:
    """Return numbers (K,) or (K, 1) in the shape (K, 1, ...) that multiplies tensors (K, B, ...)."""
    return numbers.view(-1, *[1] * (samples.ndim - 1))


def row_sum(rows: Tensor) -> Tensor:
    """Return the row sums (N, 1) of (N, P), bitwise independent of N and of the number of threads."""
    while rows.shape[1] > FOLD:
        rows = F.pad(rows, (0, -rows.shape[1] % FOLD)).unflatten(1, (-1, FOLD)).sum(2)
    return rows.sum(1, keepdim=True)


def first_sum(x: Tensor, n: int) -> Tensor:
    """Return the sum (K, ...) of the first n samples of (K, B, ...)."""
    if not torch.compiler.is_compiling():
        return x[:, :n].sum(1)
    inside = torch.arange(x.shape[1], device=x.device) < n  # the sum is then part of the kernel that computes x
    return torch.where(inside.view(-1, *[1] * (x.ndim - 2)), x, 0.0).sum(1)
