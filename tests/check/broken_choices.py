"""Losses, penalties, schedules and dynamics with one mistake each, most of them from published code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch

from gansweep.dynamics.position import Both
from gansweep.losses.two_terms import softplus
from gansweep.penalties.length import length
from gansweep.penalties.wgan_gp import WGANGP
from gansweep.schedules.pointwise import Pointwise


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
