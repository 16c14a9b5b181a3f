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

    def update(self, theta, grad, state, context):
        theta.addcmul_(grad.sign(), context.lr.to(theta.dtype), value=-1)


@dataclass(frozen=True)
class ClippedSGD:
    """Mistake: clips the norm of all members' gradients together."""

    elementwise: ClassVar[bool] = False

    def state(self, slots, theta):
        return {}

    def update(self, theta, grad, state, context):
        clipped = grad / grad.norm().clamp(min=1.0)
        theta.addcmul_(clipped, context.lr.to(theta.dtype), value=-1)
