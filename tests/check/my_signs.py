"""A user's optimizers, outside of the package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class SignSGD:
    """The README's example."""

    elementwise: ClassVar[bool] = True

    def state(self, slots, theta):
        return {}

    def update(self, slots, theta, gradient, state, lr, step):
        sign = gradient.sign() + 0 * gradient
        theta.addcmul_(sign, lr.to(theta.dtype), value=-1)


@dataclass(frozen=True)
class ClippedSGD:
    """Mistake: clips the norm of all members' gradients together."""

    elementwise: ClassVar[bool] = False

    def state(self, slots, theta):
        return {}

    def update(self, slots, theta, gradient, state, lr, step):
        clipped = gradient / gradient.norm().clamp(min=1.0)
        theta.addcmul_(clipped, lr.to(theta.dtype), value=-1)
