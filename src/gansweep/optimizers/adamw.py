"""Adam with its weight decay kept apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from torch import Tensor

from gansweep.interfaces import Beta, Slot
from gansweep.optimizers.adam import Adam


@dataclass(frozen=True)
class AdamW:
    """Shrink the parameters, then take Adam's step, as `torch.optim.AdamW`.

        theta <- (1 - lr weight_decay) theta,   then Adam without weight decay

    Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2, with torch's convention that the
    decay is multiplied by the rate in force and not by the schedule alone.

    Args:
        betas: memory of the two moments.
        eps: added to the root of the second moment.
        weight_decay: fraction that a parameter loses per step and unit of rate.
        amsgrad: use the largest second moment so far.
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
        """Make Adam's moments (K, P)."""
        return self._adam.state(slots, theta)

    def update(
        self,
        slots: Sequence[Slot],
        theta: Tensor,
        gradient: Tensor,
        state: Mapping[str, Tensor],
        lr: Tensor,
        step: Tensor,
        beta: Beta | None = None,
    ) -> None:
        """Move `theta` (K, P) downhill in place."""
        theta.mul_((1 - self.weight_decay * lr).to(theta.dtype))
        self._adam.update(slots, theta, gradient, state, lr, step, beta)
