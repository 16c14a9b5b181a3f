"""A game: the losses of both players as functions of logits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from gansweep.check.bench import Subject, agreement, difference, precisely, slope_by_differences
from gansweep.check.finding import Answer, Check
from gansweep.interfaces import Game

K, B = 3, 5
CLOSE = 1e-6


def checks(subject: Subject) -> Iterator[Check]:
    """Try both losses in float64."""
    game = subject.member.objective.game
    for player, loss in (("discriminator", _discriminator(game)), ("generator", _generator(game))):
        yield Check(
            "loss",
            f"the {player}'s leaves as (K,)",
            "reduce over the batch alone: .mean(1), never .mean()",
            precisely(partial(_shape, loss)),
        )
        yield Check(
            "loss",
            f"the {player}'s is a mean over the batch",
            "take the mean, not the sum: the rate would depend on the batch size",
            precisely(partial(_mean, loss)),
        )
        yield Check(
            "loss",
            f"the {player}'s gradient is its slope",
            "look for a detach(), an item() or a hand-written backward pass",
            precisely(partial(_gradient, loss)),
        )
    yield Check(
        "loss",
        "the discriminator gains by separating",
        "swap the sign: lowering L_D has to raise real logits and lower fake ones",
        precisely(partial(_separates, game)),
    )
    yield Check(
        "loss",
        "the generator gains by raising its logits",
        "swap the sign: lowering L_G has to raise the logits of generated samples",
        precisely(partial(_raises, game)),
    )


def _discriminator(game: Game) -> Callable[[Tensor], Tensor]:
    """Return L_D of logits (K, 2, B), real ones first."""
    return lambda logits: game.discriminator(logits[:, 0], logits[:, 1])


def _generator(game: Game) -> Callable[[Tensor], Tensor]:
    return lambda logits: game.generator(logits[:, 1], logits[:, 0] if game.relativistic else None)


def _logits() -> Tensor:
    return torch.randn(K, 2, B, generator=torch.Generator().manual_seed(7))


def _shape(loss: Callable[[Tensor], Tensor]) -> Answer:
    logits = _logits()
    value = loss(logits)
    if tuple(value.shape) != (K,):
        return False, f"(K, B) = ({K}, {B}) gives {tuple(value.shape)}"
    alone = torch.cat([loss(logits[k : k + 1]) for k in range(K)])
    apart = difference(value, alone)
    return apart == 0, f"({K},); a member beside others and alone differ by {apart:.3g}"


def _mean(loss: Callable[[Tensor], Tensor]) -> Answer:
    logits = _logits()
    once, twice = loss(logits), loss(torch.cat([logits, logits], 2))
    return agreement(twice, once) < CLOSE, f"of a batch {once.flatten()[0]:.6g}, of it twice {twice.flatten()[0]:.6g}"


def _gradient(loss: Callable[[Tensor], Tensor]) -> Answer:
    logits = _logits().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(logits).sum(), logits, allow_unused=True, materialize_grads=True)
    apart = agreement(gradient, slope_by_differences(loss, logits))
    return apart < CLOSE, f"against finite differences: {apart:.2g}"


def _slope(loss: Callable[[Tensor], Tensor], real: float, fake: float) -> Tensor:
    """Return the slope at logits around two values, summed over the batch: (K, 2)."""
    logits = _logits() / 4 + torch.tensor([[real], [fake]])
    return slope_by_differences(loss, logits).sum(2)


def _separates(game: Game) -> Answer:
    """Where it is most wrong, real logits at -3 and generated ones at 3, every game gains by it."""
    slope = _slope(_discriminator(game), -3.0, 3.0)
    holds = bool((slope[:, 0] < 0).all() and (slope[:, 1] > 0).all())
    return holds, f"dL_D/dreal {slope[0, 0]:+.3g}, dL_D/dfake {slope[0, 1]:+.3g}"


def _raises(game: Game) -> Answer:
    slope = _slope(_generator(game), 3.0, -3.0)
    return bool((slope[:, 1] < 0).all()), f"dL_G/dfake {slope[0, 1]:+.3g}"
