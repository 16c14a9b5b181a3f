"""Checks that a member is bit-identical in any batch and after an interruption."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

import torch

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.member import Member
from gansweep.check.bench import PLAYERS, Subject, difference, play
from gansweep.check.finding import Answer, Check, requirement

STEPS = 4
MIN_LR = 1e-3  # learning rate at which a dependence between members is visible in float32
COUPLED_ADVICE = "reduce over all axes except axis 0 (members): norms, means and clipping per row"
STATE_ADVICE = "keep all state in tensors (K, ...) returned by state(), none in attributes; use the given step"


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks, which compare bits after training."""
    alone = cache(partial(_alone, subject))
    for required in (_repeats, _in_batch, _with_nan, _resumes):
        yield required.check("members", subject, alone)


def _variant(member: Member, seed: int, factor: float) -> Member:
    """Return the member with another seed and scaled learning rates."""
    g, d = member.generator, member.discriminator
    rates = [max(player.lr, MIN_LR) * factor for player in (g, d)]
    return replace(member, seed=seed, generator=replace(g, lr=rates[0]), discriminator=replace(d, lr=rates[1]))


def _trained(subject: Subject, runs: Sequence[tuple[int, float]], nan: int | None = None) -> AdversarialPack:
    """Train members (seed, rate factor); all parameters of member `nan` are set to NaN."""
    copy = subject.fresh()
    pack = copy.pack([_variant(copy.member, seed, factor) for seed, factor in runs])
    if nan is not None:
        for player in (pack.g, pack.d):
            for theta in player.chunks:
                theta[pack.place[nan]] = float("nan")
    play(pack, STEPS)
    return pack


def _state_of(pack: AdversarialPack, k: int) -> dict[str, Any]:
    exported = pack.export(k)
    return {player: {key: exported[player][key] for key in ("theta", "state", "buffers")} for player in PLAYERS}


TESTED, LARGE_RATE, SMALL_RATE = (1, 1.0), (2, 3.0), (3, 0.3)


def _alone(subject: Subject) -> dict[str, Any]:
    return _state_of(_trained(subject, [TESTED]), 0)


@requirement(
    "bit-identical for the same seed", "draw random numbers from a seeded generator, not from torch's global one"
)
def _repeats(subject: Subject, alone: Callable[[], dict[str, Any]]) -> Answer:
    error = difference(_alone(subject), alone())
    return error == 0, f"largest difference after {STEPS} steps: {error:.3g}"


@requirement("bit-identical in any batch", COUPLED_ADVICE)
def _in_batch(subject: Subject, alone: Callable[[], dict[str, Any]]) -> Answer:
    packs = {"second of 2": [LARGE_RATE, TESTED], "first of 3": [TESTED, SMALL_RATE, LARGE_RATE]}
    errors = {
        where: difference(_state_of(_trained(subject, runs), runs.index(TESTED)), alone())
        for where, runs in packs.items()
    }
    return not any(errors.values()), ", ".join(f"{where}: {error:.3g}" for where, error in errors.items())


@requirement("bit-identical with a NaN member in the batch", COUPLED_ADVICE)
def _with_nan(subject: Subject, alone: Callable[[], dict[str, Any]]) -> Answer:
    error = difference(_state_of(_trained(subject, [LARGE_RATE, TESTED], nan=0), 1), alone())
    return error == 0, f"largest difference after {STEPS} steps: {error:.3g}"


@requirement("bit-identical after a restart", STATE_ADVICE)
def _resumes(subject: Subject, alone: Callable[[], dict[str, Any]]) -> Answer:
    """Stop halfway, save, train another member, and resume with fresh objects."""
    first = subject.fresh()
    half = first.pack([_variant(first.member, *TESTED)])
    play(half, STEPS // 2)
    file = io.BytesIO()
    torch.save(half.export(0), file)
    file.seek(0)
    _trained(subject, [SMALL_RATE])  # changes any state that a class keeps outside of state()
    second = subject.fresh()
    resumed = second.pack([_variant(second.member, *TESTED)])
    resumed.restore(0, torch.load(file, weights_only=True))
    play(resumed, STEPS)
    error = difference(_state_of(resumed, 0), alone())
    return error == 0, f"{STEPS // 2} + {STEPS - STEPS // 2} steps against {STEPS}: {error:.3g}"
