"""Checks that rates and schedules act on their own player, and that steps lower its loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.check.bench import PLAYERS, Subject, in_float64, play, theta
from gansweep.check.finding import Answer, Check, requirement
from gansweep.dynamics.alternating import Alternating
from gansweep.interfaces import Schedule
from gansweep.schedules.linspace import Linspace

SMALL = 1e-6  # so small that the step of one player hardly changes the gradient of the other
HALF = Linspace(0.5, 0.5)
MAX_STEPS = 6


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks, which train both players in the trainer."""
    yield _no_update.check("rates", subject)
    for player in PLAYERS:
        yield _rate_is_separate.check("rates", subject, player, player=player)
        yield _schedule_is_separate.check("rates", subject, player, player=player)
    yield _scheduled_rates.check("rates", subject)
    for player in PLAYERS:
        yield _lowers_loss.check("rates", subject, player, player=player)


def _moves(subject: Subject, lr_g: float, lr_d: float, by: Sequence[Schedule | None] = (None, None)) -> list[Tensor]:
    """Return the parameter changes of generator and discriminator in one step, in two if the first makes none.

    A rule may use its first gradient to initialise its state only.
    """
    copy = subject.fresh()
    pack = copy.pack([copy.at_rates(lr_g, lr_d, *by)])
    before = [theta(pack, player) for player in PLAYERS]

    def moves() -> list[Tensor]:
        play(pack, 1)
        return [theta(pack, player) - start for player, start in zip(PLAYERS, before, strict=True)]

    first = moves()
    return first if any(bool(move.any()) for move in first) else moves()


@requirement("no update at learning rate 0", "every change of theta must be a multiple of lr (weight decay too)")
@in_float64
def _no_update(subject: Subject) -> Answer:
    copy = subject.fresh()
    pack = copy.pack([copy.at_rates(0.0, 0.0)])
    before = [theta(pack, player) for player in PLAYERS]
    play(pack, 3)
    moves = [(theta(pack, player) - start).abs().max() for player, start in zip(PLAYERS, before, strict=True)]
    return all(bool(move == 0) for move in moves), f"largest move in 3 steps: G {moves[0]:.3g}, D {moves[1]:.3g}"


@requirement(
    "{player} rate moves only the {player}",
    "use the lr argument of update(); keep none in an attribute, both players share the object",
)
@in_float64
def _rate_is_separate(subject: Subject, player: str) -> Answer:
    index = PLAYERS.index(player)
    rates = [0.0, 0.0]
    rates[index] = SMALL
    norms = [move.norm().item() for move in _moves(subject, rates[0], rates[1])]
    return norms[index] > 0 and norms[1 - index] == 0, f"at {SMALL:g} and 0: G {norms[0]:.3g}, D {norms[1]:.3g}"


@requirement(
    "{player} schedule changes only the {player}",
    "a schedule must act on its own player: look for the other player's rate in optimizer or dynamics",
)
@in_float64
def _schedule_is_separate(subject: Subject, player: str) -> Answer:
    index = PLAYERS.index(player)
    by: list[Schedule | None] = [None, None]
    by[index] = HALF
    whole, halved = _moves(subject, SMALL, SMALL), _moves(subject, SMALL, SMALL, by)
    changed = [((h - w).norm() / w.norm()).item() for h, w in zip(halved, whole, strict=True)]
    passed = changed[index] > 0.01 and changed[1 - index] < 0.01
    return (
        passed,
        f"with half the rate its step changes by {changed[index]:.1%}, the other player's by {changed[1 - index]:.1%}",
    )


@requirement("learning rates are lr x schedule", "a schedule must depend on step and total_steps only")
@in_float64
def _scheduled_rates(subject: Subject) -> Answer:
    """Compare the trainer's learning rates with lr x schedule at every step."""
    copy, expected = subject.fresh(), subject.fresh().member
    pack, errors, steps = copy.pack([copy.member]), [0.0, 0.0], min(MAX_STEPS, copy.member.steps)
    rates = [
        [player.lr * value for value in player.schedule.values(expected.steps)[:steps].tolist()]
        for player in (expected.generator, expected.discriminator)
    ]
    for n, _ in enumerate(pack.steps()):
        for p, rate in enumerate((pack.g.lr, pack.d.lr)):
            errors[p] = max(errors[p], abs(rate.item() - rates[p][n]) / max(rates[p][n], 1e-300))
        if n + 1 == steps:
            break
    return max(errors) < 1e-9, f"largest relative difference in {steps} steps: G {errors[0]:.2g}, D {errors[1]:.2g}"


def _loss(pack: AdversarialPack, player: str) -> float:
    report = play(pack, 1)[0]
    return (report.discriminator.loss if player == "discriminator" else report.generator_loss).item()


@requirement(
    "a small step lowers the {player} loss",
    "check the sign: both players minimize their losses, theta moves against the gradient",
)
@in_float64
def _lowers_loss(subject: Subject, player: str) -> Answer:
    """Compare the loss before and after the first step that moves, with a second pack of the same seed.

    Both use the same random numbers. Updates are alternating here: other dynamics may increase the
    current loss of a player.
    """
    copy = replace(subject.fresh(), dynamics=Alternating(), critic_steps=1)
    rates = [SMALL, 0.0] if player == "generator" else [0.0, SMALL]
    moved, after = copy.pack([copy.at_rates(rates[0], rates[1])]), copy.pack([copy.at_rates(0.0, 0.0)])
    start, before = theta(moved, player), _loss(moved, player)
    if torch.equal(theta(moved, player), start):
        play(after, 1)
        before = _loss(moved, player)
    for source, target in ((moved.g, after.g), (moved.d, after.d)):
        for stretch, value in zip(target.chunks, source.chunks, strict=True):
            stretch.copy_(value)
    change = _loss(after, player) - before
    return change < 0, f"{before:.6g} by {change:+.3g} at rate {SMALL:g}"
