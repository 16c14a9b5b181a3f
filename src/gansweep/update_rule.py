"""Protocol of update rules, the optimizers without parameters or state, and what they receive."""

# pyright: reportReturnType=false
from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Slot:
    """One parameter or buffer of a network: a named range of the member's parameter row.

    Args:
        name: its name in the `state_dict` of the same network built from `torch.nn`.
        shape: its shape for one member, in torch's layout.
        role: its kind, which initialisations use. `scale` and `shift` belong to normalisation layers.
        fan_in: inputs that one output sums over; 0 if not defined.
        start: initial value of all entries of a buffer.
    """

    name: str
    shape: tuple[int, ...]
    role: Literal["weight", "bias", "scale", "shift", "statistic", "embedding"] = "weight"
    fan_in: int = 0
    start: float = 0.0


class Beta(NamedTuple):
    """Scheduled beta1 or momentum (K, 1) in one update, in the parameters' precision.

    `product` (K, 1): all values so far, this one included, in float64; for beta1^t in 1 - beta1^t.
    """

    now: Tensor
    product: Tensor


class OnHost(NamedTuple):
    """`lr` and `step` of `UpdateContext` on the CPU, where reading them does not wait for the device."""

    lr: Tensor
    step: Tensor


class UpdateContext(NamedTuple):
    """What an update rule may need besides parameters, gradient and state.

    Args:
        lr: current learning rates, (K, 1): base rate times schedule times gain.
        step: number of this update of each member, counted from 1, (K, 1) in float64.
        slots: parameters of the network in the order of theta's columns; elementwise rules may get a part of theta.
        beta: scheduled beta1 or momentum; None if it is not scheduled.
        on_host: None for elementwise rules, if `lr` is known on the device only, and on a CPU.
    """

    lr: Tensor
    step: Tensor
    slots: Sequence[Slot] = ()
    beta: Beta | None = None
    on_host: OnHost | None = None

    def scheduled(self, beta: float) -> float | Tensor:
        """Return the scheduled beta1 or momentum (K, 1), or `beta`, the rule's own, if it is not scheduled."""
        return beta if self.beta is None else self.beta.now


class RunLength(NamedTuple):
    """Updates of a player in a run, metric values that its feedback receives, and its base learning rate."""

    updates: int
    evaluations: int
    lr: float


@runtime_checkable
class UpdateRule(Protocol):
    """Update rule of an optimizer, without parameters or state.

    `elementwise`: the update of an entry does not depend on the other entries of the row. Such a
    rule is applied to parts of a row that fit into the processor's cache.

    Optional members:

        evaluated(theta, state)   returns the parameters for evaluation (K, P), if they differ from theta
        memory                    beta1 or momentum, 0 if the rule has none; a scheduled one is in `context.beta`
        without_effect(length)    returns a warning `setting=value: ...` for every such setting in a `RunLength`
    """

    elementwise: ClassVar[bool]

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Return the initial state; tensors are (K, ...), those of an elementwise rule (K, P) or (K,)."""

    def update(self, theta: Tensor, grad: Tensor, state: Mapping[str, Tensor], context: UpdateContext) -> None:
        """Apply one descent step to `theta` (K, P) and update `state`, in place, given the gradient (K, P)."""


def columns(slots: Sequence[Slot]) -> Iterator[tuple[Slot, slice]]:
    """Yield each slot with the slice of its columns in a row (P,)."""
    start = 0
    for slot in slots:
        stop = start + math.prod(slot.shape)
        yield slot, slice(start, stop)
        start = stop
