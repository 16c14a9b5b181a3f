"""Checks that a learning rate and its schedule act on their own player only, and that steps lower its loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from torch import Tensor

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.check.bench import PLAYERS, Subject, play, precisely, theta
from gansweep.check.finding import Answer, Check
from gansweep.dynamics.alternating import Alternating
from gansweep.interfaces import Schedule
from gansweep.schedules.linspace import Linspace

SMALL = 1e-6  # so small that the step of one player hardly changes the gradient of the other
HALF = Linspace(0.5, 0.5)
MOST_STEPS = 6


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks, which train both players in the trainer."""
    yield Check(
        "rates",
        "no update at learning rate 0",
        "every change of theta must be a multiple of lr (weight decay too)",
        precisely(partial(_nothing_moves, subject)),
    )
    for player in PLAYERS:
        yield Check(
            "rates",
            f"{player} rate moves only the {player}",
            "use the lr argument of update(); keep none in an attribute, both players share the object",
            precisely(partial(_moves_alone, subject, player)),
        )
        yield Check(
            "rates",
            f"{player} schedule changes only the {player}",
            "a schedule must act on its own player: look for the other player's rate in optimizer or dynamics",
            precisely(partial(_changes_alone, subject, player)),
        )
    yield Check(
        "rates",
        "learning rates are lr x schedule",
        "a schedule must depend on step and total_steps only",
        precisely(partial(_as_scheduled, subject)),
    )
    for player in PLAYERS:
        yield Check(
            "rates",
            f"a small step lowers the {player} loss",
            "check the sign: both players minimize their losses, theta moves against the gradient",
            precisely(partial(_goes_down, subject, player)),
        )


def _moves(subject: Subject, lr_g: float, lr_d: float, by: Sequence[Schedule | None] = (None, None)) -> list[Tensor]:
    """Return the parameter changes of generator and discriminator in one step."""
    one = subject.fresh()
    pack = one.pack([one.at_rates(lr_g, lr_d, *by)])
    before = [theta(pack, player) for player in PLAYERS]
    play(pack, 1)
    return [theta(pack, player) - start for player, start in zip(PLAYERS, before, strict=True)]


def _nothing_moves(subject: Subject) -> Answer:
    one = subject.fresh()
    pack = one.pack([one.at_rates(0.0, 0.0)])
    before = [theta(pack, player) for player in PLAYERS]
    play(pack, 3)
    far = [(theta(pack, player) - start).abs().max() for player, start in zip(PLAYERS, before, strict=True)]
    return all(bool(move == 0) for move in far), f"largest move in 3 steps: G {far[0]:.3g}, D {far[1]:.3g}"


def _moves_alone(subject: Subject, player: str) -> Answer:
    own = PLAYERS.index(player)
    rates = [0.0, 0.0]
    rates[own] = SMALL
    sizes = [move.norm().item() for move in _moves(subject, rates[0], rates[1])]
    return sizes[own] > 0 and sizes[1 - own] == 0, f"at {SMALL:g} and 0: G {sizes[0]:.3g}, D {sizes[1]:.3g}"


def _changes_alone(subject: Subject, player: str) -> Answer:
    own = PLAYERS.index(player)
    by: list[Schedule | None] = [None, None]
    by[own] = HALF
    whole, halved = _moves(subject, SMALL, SMALL), _moves(subject, SMALL, SMALL, by)
    changed = [((h - w).norm() / w.norm()).item() for h, w in zip(halved, whole, strict=True)]
    holds = changed[own] > 0.01 and changed[1 - own] < 0.01
    return (
        holds,
        f"with half the rate its step changes by {changed[own]:.1%}, the other player's by {changed[1 - own]:.1%}",
    )


def _as_scheduled(subject: Subject) -> Answer:
    """Compare the trainer's learning rates with lr x schedule at every step; the schedules are called in turn."""
    one, expected = subject.fresh(), subject.fresh().member
    pack, apart, steps = one.pack([one.member]), [0.0, 0.0], min(MOST_STEPS, one.member.steps)
    rates = [
        [player.lr * value for value in player.schedule.values(expected.steps)[:steps].tolist()]
        for player in (expected.generator, expected.discriminator)
    ]
    for n, _ in enumerate(pack.steps()):
        for p, rate in enumerate((pack.g.lr, pack.d.lr)):
            apart[p] = max(apart[p], abs(rate.item() - rates[p][n]) / max(rates[p][n], 1e-300))
        if n + 1 == steps:
            break
    return max(apart) < 1e-9, f"largest relative difference in {steps} steps: G {apart[0]:.2g}, D {apart[1]:.2g}"


def _loss(pack: AdversarialPack, player: str) -> float:
    report = play(pack, 1)[0]
    return (report.discriminator.loss if player == "discriminator" else report.generator_loss).item()


def _goes_down(subject: Subject, player: str) -> Answer:
    """Compare the loss before and after one step on the same random numbers, with a second pack of the same seed.

    Updates are alternating here: other dynamics may increase the current loss of a player.
    """
    one = replace(subject.fresh(), dynamics=Alternating(), critic_steps=1)
    rates = [SMALL, 0.0] if player == "generator" else [0.0, SMALL]
    moved = one.pack([one.at_rates(rates[0], rates[1])])
    before = _loss(moved, player)
    after = one.pack([one.at_rates(0.0, 0.0)])
    for there, here in ((moved.g, after.g), (moved.d, after.d)):
        for stretch, value in zip(here.stretches, there.stretches, strict=True):
            stretch.copy_(value)
    change = _loss(after, player) - before
    return change < 0, f"{before:.6g} by {change:+.3g} at rate {SMALL:g}"
