"""Update rules with one fault each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from gansweep.optimizers.adam import Adam
from gansweep.optimizers.sgd import SGD

CLASS_WIDE: dict[Any, Any] = {}


@dataclass(frozen=True)
class Rule:
    """The correct rule: theta <- theta - lr g."""

    elementwise: ClassVar[bool] = False

    def state(self, slots, theta):
        return {}

    def update(self, theta, grad, state, context):
        theta.addcmul_(grad, context.lr.to(theta.dtype), value=-1)


class RateOfTheLastCall(Rule):
    """ConjugateGradient_GAN, utils/lr_scheduler.py: the StepLR of G uses D's optimizer."""

    def update(self, theta, grad, state, context):
        object.__setattr__(self, "before", getattr(self, "now", context.lr.clone()))
        object.__setattr__(self, "now", context.lr.clone())
        super().update(theta, grad, state, context._replace(lr=self.before))


class DecaysWithEveryCall(Rule):
    """The same repository: both players step one schedule, which decays twice as fast."""

    def update(self, theta, grad, state, context):
        object.__setattr__(self, "factor", getattr(self, "factor", 2.0) * 0.5)
        super().update(theta, grad, state, context._replace(lr=context.lr * self.factor))


class ClipsTheGlobalNorm(Rule):
    """clip_grad_norm_ over all members."""

    def update(self, theta, grad, state, context):
        super().update(theta, grad / (1 + grad.norm()), state, context)


class MomentumInAnAttribute(Rule):
    """A buffer that is not part of the checkpoint, created in the first step."""

    def update(self, theta, grad, state, context):
        buffers = self.__dict__.setdefault("buffers", {})
        key = tuple(slot.name for slot in context.slots)
        if context.step.min() == 1 or key not in buffers or buffers[key].shape != grad.shape:
            buffers[key] = torch.zeros_like(grad)
        buffers[key] = 0.9 * buffers[key] + grad
        super().update(theta, buffers[key], state, context)


class MomentumInTheModule(MomentumInAnAttribute):
    """A buffer in a dictionary that all copies share."""

    def update(self, theta, grad, state, context):
        key = tuple(slot.name for slot in context.slots), grad.shape
        if context.step.min() == 1 or key not in CLASS_WIDE:
            CLASS_WIDE[key] = torch.zeros_like(grad)
        CLASS_WIDE[key] = 0.9 * CLASS_WIDE[key] + grad
        Rule.update(self, theta, CLASS_WIDE[key], state, context)


class Ascends(Rule):
    def update(self, theta, grad, state, context):
        super().update(theta, -grad, state, context)


class ReturnsInsteadOfMoving(Rule):
    def update(self, theta, grad, state, context):
        return theta - context.lr * grad


class DecaysAtRateZero(Rule):
    """Weight decay without the learning rate."""

    def update(self, theta, grad, state, context):
        theta.mul_(1 - 1e-4)
        super().update(theta, grad, state, context)


class ModifiesTheGradient(Rule):
    def update(self, theta, grad, state, context):
        super().update(theta, grad.mul_(0.5), state, context)


class LatestStep(Adam):
    """Bias correction with the largest step count of the pack."""

    def update(self, theta, grad, state, context):
        latest = context.step.max().expand_as(context.step)
        super().update(theta, grad, state, context._replace(step=latest))


class StateWithoutMembers(SGD):
    def state(self, slots, theta):
        return {"momentum": torch.zeros(theta.shape[1])}


class RowNormCalledElementwise(Rule):
    elementwise: ClassVar[bool] = True

    def update(self, theta, grad, state, context):
        super().update(theta, grad / grad.norm(dim=1, keepdim=True), state, context)


class GlobalNoise(Rule):
    """Langevin noise from torch's global generator."""

    def update(self, theta, grad, state, context):
        super().update(theta, grad + 0.1 * torch.randn_like(grad), state, context)


class OnlyTheFirstGroup(Rule):
    """mimicry: the decay changes param_groups[0] only; here the other slots have a stale rate."""

    def update(self, theta, grad, state, context):
        first = torch.Size(context.slots[0].shape).numel()
        super().update(theta[:, :first], grad[:, :first], state, context)
        super().update(theta[:, first:], grad[:, first:], state, context._replace(lr=torch.full_like(context.lr, 1e-3)))
