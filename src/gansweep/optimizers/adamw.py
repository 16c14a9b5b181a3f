"""AdamW optimizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from torch import Tensor

from gansweep.interfaces import Slot, UpdateContext
from gansweep.optimizers.adam import Adam


@dataclass(frozen=True)
class AdamW:
    """AdamW: Adam with decoupled weight decay, as `torch.optim.AdamW`.

        theta <- (1 - lr weight_decay) theta,   then Adam without weight decay

    Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2. As in PyTorch, the decay is multiplied
    by the current learning rate; the paper multiplies it by the schedule multiplier only.

    Args:
        betas: decay rates of the first and second moment.
        eps: added to the square root of the second moment.
        weight_decay: decoupled weight decay, multiplied by the learning rate.
        amsgrad: use the elementwise maximum of the second moment so far.
    """

    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 1e-2
    amsgrad: bool = False
    elementwise: ClassVar[bool] = True

    def __post_init__(self) -> None:
        checked = Adam(self.betas, self.eps, self.weight_decay, self.amsgrad)
        object.__setattr__(self, "betas", checked.betas)

    @cached_property
    def _adam(self) -> Adam:
        return Adam(self.betas, self.eps, 0.0, self.amsgrad)

    @property
    def memory(self) -> float:
        """Return beta1."""
        return self.betas[0]

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Return Adam's initial moments, zeros (K, P)."""
        return self._adam.state(slots, theta)

    def update(self, theta: Tensor, grad: Tensor, state: Mapping[str, Tensor], context: UpdateContext) -> None:
        """Update `theta` (K, P) and `state` in place by one step."""
        theta.mul_((1 - self.weight_decay * context.lr).to(theta.dtype))
        self._adam.update(theta, grad, state, context)
