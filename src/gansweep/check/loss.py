"""Checks of a GAN loss: the losses of both players as functions of logits."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from gansweep.check.bench import Subject, difference, finite_differences, in_float64, relative_error
from gansweep.check.finding import Answer, Check, requirement
from gansweep.interfaces import Game

K, B = 3, 5
TOLERANCE = 1e-6


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks of both losses, in float64."""
    game = subject.member.objective.game
    for player, loss in (("discriminator", _discriminator(game)), ("generator", _generator(game))):
        for required in (_shape, _mean, _gradient):
            yield required.check("loss", loss, player=player)
    yield _separates.check("loss", game)
    yield _raises.check("loss", game)


def _discriminator(game: Game) -> Callable[[Tensor], Tensor]:
    """Return L_D as a function of logits (K, 2, B), real logits first."""
    return lambda logits: game.discriminator(logits[:, 0], logits[:, 1])


def _generator(game: Game) -> Callable[[Tensor], Tensor]:
    return lambda logits: game.generator(logits[:, 1], logits[:, 0] if game.relativistic else None)


def _logits() -> Tensor:
    return torch.randn(K, 2, B, generator=torch.Generator().manual_seed(7))


@requirement("{player} loss has shape (K,)", "reduce over the batch only: .mean(1), not .mean()")
@in_float64
def _shape(loss: Callable[[Tensor], Tensor]) -> Answer:
    logits = _logits()
    value = loss(logits)
    if tuple(value.shape) != (K,):
        return False, f"(K, B) = ({K}, {B}) gives {tuple(value.shape)}"
    single = torch.cat([loss(logits[k : k + 1]) for k in range(K)])
    error = difference(value, single)
    return error == 0, f"({K},); a member in a batch and alone differ by {error:.3g}"


@requirement(
    "{player} loss is a mean over the batch",
    "use the mean, not the sum: otherwise the learning rate depends on the batch size",
)
@in_float64
def _mean(loss: Callable[[Tensor], Tensor]) -> Answer:
    logits = _logits()
    once, twice = loss(logits), loss(torch.cat([logits, logits], 2))
    numbers = f"batch {once.flatten()[0]:.6g}, duplicated batch {twice.flatten()[0]:.6g}"
    return relative_error(twice, once) < TOLERANCE, numbers


@requirement(
    "{player} gradient matches finite differences", "look for a detach(), an item() or a hand-written backward pass"
)
@in_float64
def _gradient(loss: Callable[[Tensor], Tensor]) -> Answer:
    logits = _logits().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(logits).sum(), logits, allow_unused=True, materialize_grads=True)
    error = relative_error(gradient, finite_differences(loss, logits))
    return error < TOLERANCE, f"against finite differences: {error:.2g}"


def _derivative(loss: Callable[[Tensor], Tensor], real: float, fake: float) -> Tensor:
    """Return the derivative (K, 2) by real and fake logits, summed over the batch."""
    logits = _logits() / 4 + torch.tensor([[real], [fake]])
    return finite_differences(loss, logits).sum(2)


@requirement(
    "separating real from fake lowers L_D",
    "check the sign: minimizing L_D must raise real logits and lower fake logits",
)
@in_float64
def _separates(game: Game) -> Answer:
    """Check the signs of the derivatives at real logits around -3 and fake logits around 3."""
    derivative = _derivative(_discriminator(game), -3.0, 3.0)
    passed = bool((derivative[:, 0] < 0).all() and (derivative[:, 1] > 0).all())
    return passed, f"dL_D/dreal {derivative[0, 0]:+.3g}, dL_D/dfake {derivative[0, 1]:+.3g}"


@requirement(
    "raising fake logits lowers L_G", "check the sign: minimizing L_G must raise the logits of generated samples"
)
@in_float64
def _raises(game: Game) -> Answer:
    derivative = _derivative(_generator(game), 3.0, -3.0)
    return bool((derivative[:, 1] < 0).all()), f"dL_G/dfake {derivative[0, 1]:+.3g}"
