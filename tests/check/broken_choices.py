"""Classes with one mistake each, most of them from published code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch

from gansweep.dynamics.position import Both
from gansweep.layers import LeakyReLU, Linear, Network
from gansweep.layers.layer import Parameterless
from gansweep.losses.two_terms import softplus
from gansweep.models.initialisation import TorchDefault
from gansweep.optimizers.adam import Adam
from gansweep.optimizers.sgd import SGD
from gansweep.penalties.length import length
from gansweep.penalties.wgan_gp import WGANGP
from gansweep.schedules.pointwise import Pointwise


# ---------------------------------------------------------------- optimizers
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


CLASS_WIDE: dict[Any, Any] = {}


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


# --------------------------------------------------------------------- losses
@dataclass(frozen=True)
class Cross:
    """The correct losses: the non-saturating game."""

    relativistic: ClassVar[bool] = False

    def discriminator(self, real, fake):
        return softplus(-real).mean(1) + softplus(fake).mean(1)

    def generator(self, fake, real=None):
        return softplus(-fake).mean(1)


class SwappedDiscriminator(Cross):
    def discriminator(self, real, fake):
        return softplus(real).mean(1) + softplus(-fake).mean(1)


class SwappedGenerator(Cross):
    def generator(self, fake, real=None):
        return softplus(fake).mean(1)


class MeanOverMembers(Cross):
    def discriminator(self, real, fake):
        return (softplus(-real) + softplus(fake)).mean()


class MeanOverMembersRepeated(Cross):
    def generator(self, fake, real=None):
        return softplus(-fake).mean().expand(len(fake))


class ComparedWithThePack(Cross):
    """Relative to the mean over all members."""

    def generator(self, fake, real=None):
        return softplus(fake.mean() - 2 * fake).mean(1)


class SumOverTheBatch(Cross):
    def discriminator(self, real, fake):
        return softplus(-real).sum(1) + softplus(fake).sum(1)


class DetachedHalf(Cross):
    def discriminator(self, real, fake):
        return softplus(-real.detach()).mean(1) + softplus(fake).mean(1)


class OverflowsAtLargeLogits(Cross):
    """Infinite where a logit is far from 0."""

    def discriminator(self, real, fake):
        return (1 + (-real).exp()).log().mean(1) / (real.abs() < 2).all(1) + softplus(fake).mean(1)


# ------------------------------------------------------------------ penalties
@dataclass(frozen=True)
class PerPixel(WGANGP):
    """optml_gan, src/training.py:78: the norm over dim 1 of (B, C, H, W)."""

    def score(self, grad, logits=None):
        return (grad.norm(dim=2) - self.target).square().flatten(2).mean(2)


@dataclass(frozen=True)
class PerPixelUnreduced(WGANGP):
    def score(self, grad, logits=None):
        return (grad.norm(dim=2) - self.target).square()


@dataclass(frozen=True)
class Detached(WGANGP):
    """The same as create_graph=False."""

    def score(self, grad, logits=None):
        return super().score(grad.detach())


@dataclass(frozen=True)
class HalfDetached(WGANGP):
    def score(self, grad, logits=None):
        return length(grad) * length(grad).detach()


@dataclass(frozen=True)
class NormOfTheBatch(WGANGP):
    def score(self, grad, logits=None):
        size = grad.flatten(1).norm(dim=1, keepdim=True)
        return (size - self.target).square().expand(-1, grad.shape[1])


@dataclass(frozen=True)
class RootAtZero(WGANGP):
    def score(self, grad, logits=None):
        return (grad.flatten(2).square().sum(2).sqrt() - self.target).square()


# ------------------------------------------------------------------ schedules
@dataclass(frozen=True)
class CountsItsCalls(Pointwise):
    """As torch's schedulers: the value depends on the number of calls."""

    calls: list = field(default_factory=list, compare=False, repr=False)

    def __call__(self, step, total_steps):
        self.calls.append(step)
        return 0.999 ** len(self.calls)


@dataclass(frozen=True)
class GoesBelowZero(Pointwise):
    def __call__(self, step, total_steps):
        return 1 - 2 * step / total_steps


@dataclass(frozen=True)
class InfiniteAtFirst(Pointwise):
    def __call__(self, step, total_steps):
        return float("inf") if step == 0 else step**-0.5


@dataclass(frozen=True)
class ValuesOneLate(Pointwise):
    def __call__(self, step, total_steps):
        return 1 - step / total_steps

    def values(self, total_steps):
        return np.array([self(step + 1, total_steps) for step in range(total_steps)])


@dataclass(frozen=True)
class HoldsALambda(Pointwise):
    function: Any = field(default_factory=lambda: lambda t: 1 - t)

    def __call__(self, step, total_steps):
        return self.function(step / total_steps)


# ------------------------------------------------------------------- dynamics
@dataclass(frozen=True)
class Moves:
    joint: ClassVar[bool] = True


class RateOfTheOther(Moves):
    """Generator steps with the discriminator's rate."""

    def __call__(self, game):
        v, lr = game.field(), game.rates
        (lr_g,), (lr_d,) = lr.generator, lr.discriminator
        ratio = torch.where(lr_g > 0, lr_d / lr_g, 0.0)
        game.descend(Both(tuple(part * ratio for part in v.generator), v.discriminator))


class GeneratorAscends(Moves):
    def __call__(self, game):
        v = game.field()
        game.descend(Both(tuple(-part for part in v.generator), v.discriminator))


class StepsTwice(Moves):
    """Extragradient that does not return to the start of the step."""

    def __call__(self, game):
        game.descend(game.field())
        game.descend(game.field())


@dataclass(frozen=True)
class CouplesMembers(Moves):
    def __call__(self, game):
        v = game.field()
        game.descend(v * (1 / (1 + v.dot(v).mean().item())))


class StaleField(Moves):
    """Steps along the field of the previous step, which is stored in an attribute."""

    def __call__(self, game):
        v = game.field()
        before = getattr(self, "before", None)
        object.__setattr__(self, "before", v)
        same = before is not None and all(a.shape == b.shape for a, b in zip(before.parts, v.parts, strict=True))
        game.descend(before if same else v)


# ---------------------------------------------------------------- models
class LastLayer(Parameterless):
    """The last layer of a discriminator, without a mistake."""

    def forward(self, params, x, state):
        return x

    def pull_back(self, params, x, grad_output, state):
        return grad_output


class MixesMembers(LastLayer):
    """A mean over the wrong axis."""

    def forward(self, params, x, state):
        return x - x.mean(0) / 2

    def pull_back(self, params, x, grad_output, state):
        return grad_output - grad_output.mean(0) / 2


class WrongPullBack(LastLayer):
    def forward(self, params, x, state):
        return 2 * x


class CountsItsPasses(LastLayer):
    passes = 0

    def forward(self, params, x, state):
        CountsItsPasses.passes += 1
        return x * (1 + 0.1 * CountsItsPasses.passes)

    piecewise_linear = False


class TwoLogits(LastLayer):
    def forward(self, params, x, state):
        return torch.cat([x, x], 2)

    piecewise_linear = False


class NoisyStart(TorchDefault):
    def __call__(self, slot, generator):
        return torch.randn(slot.shape)


@dataclass(frozen=True)
class WithLastLayer:
    """A pair whose discriminator ends in a layer."""

    last: Any = field(default_factory=LastLayer)
    initialisation: Any = field(default_factory=TorchDefault)
    latent_dim: ClassVar[int] = 3

    def generator(self, sample_shape):
        return Network([Linear("0", 3, sample_shape[0])], self.initialisation)

    def discriminator(self, sample_shape):
        layers = [Linear("0", sample_shape[0], 8), LeakyReLU(0.2), Linear("2", 8, 1), self.last]
        return Network(layers, self.initialisation)
