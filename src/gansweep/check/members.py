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
from gansweep.check.finding import Answer, Check

STEPS = 4
LOWEST = 1e-3  # learning rate at which a dependence between members is visible in float32
COUPLED = "reduce over all axes except axis 0 (members): norms, means and clipping per row"
REMEMBERED = "keep all state in tensors (K, ...) returned by state(), none in attributes; use the given step"


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks, which compare bits after training."""
    alone = cache(partial(_alone, subject))
    yield Check(
        "members",
        "bit-identical for the same seed",
        "draw random numbers from a seeded generator, not from torch's global one",
        partial(_repeats, subject, alone),
    )
    yield Check("members", "bit-identical in any batch", COUPLED, partial(_in_company, subject, alone))
    yield Check(
        "members", "bit-identical with a NaN member in the batch", COUPLED, partial(_beside_nan, subject, alone)
    )
    yield Check("members", "bit-identical after a restart", REMEMBERED, partial(_resumes, subject, alone))


def _other(one: Member, seed: int, factor: float) -> Member:
    """Return a member with the same optimizer and objective, another seed and scaled learning rates."""
    g, d = one.generator, one.discriminator
    rates = [max(player.lr, LOWEST) * factor for player in (g, d)]
    return replace(one, seed=seed, generator=replace(g, lr=rates[0]), discriminator=replace(d, lr=rates[1]))


def _trained(subject: Subject, cast: Sequence[tuple[int, float]], nan: int | None = None) -> AdversarialPack:
    """Train members (seed, rate factor); all parameters of member `nan` are set to NaN."""
    one = subject.fresh()
    pack = one.pack([_other(one.member, seed, factor) for seed, factor in cast])
    if nan is not None:
        for player in (pack.g, pack.d):
            for theta in player.stretches:
                theta[pack.place[nan]] = float("nan")
    play(pack, STEPS)
    return pack


def _all_of(pack: AdversarialPack, k: int) -> dict[str, Any]:
    saved = pack.export(k)
    return {player: {key: saved[player][key] for key in ("theta", "state", "buffers")} for player in PLAYERS}


ME, LOUD, QUIET = (1, 1.0), (2, 3.0), (3, 0.3)


def _alone(subject: Subject) -> dict[str, Any]:
    return _all_of(_trained(subject, [ME]), 0)


def _repeats(subject: Subject, alone: Callable[[], dict[str, Any]]) -> Answer:
    apart = difference(_alone(subject), alone())
    return apart == 0, f"largest difference after {STEPS} steps: {apart:.3g}"


def _in_company(subject: Subject, alone: Callable[[], dict[str, Any]]) -> Answer:
    packs = {"second of 2": [LOUD, ME], "first of 3": [ME, QUIET, LOUD]}
    apart = {
        where: difference(_all_of(_trained(subject, cast), cast.index(ME)), alone()) for where, cast in packs.items()
    }
    return not any(apart.values()), ", ".join(f"{where}: {far:.3g}" for where, far in apart.items())


def _beside_nan(subject: Subject, alone: Callable[[], dict[str, Any]]) -> Answer:
    apart = difference(_all_of(_trained(subject, [LOUD, ME], nan=0), 1), alone())
    return apart == 0, f"largest difference after {STEPS} steps: {apart:.3g}"


def _resumes(subject: Subject, alone: Callable[[], dict[str, Any]]) -> Answer:
    """Stop halfway, save, train another member, and resume with fresh objects."""
    one = subject.fresh()
    half = one.pack([_other(one.member, *ME)])
    play(half, STEPS // 2)
    file = io.BytesIO()
    torch.save(half.export(0), file)
    file.seek(0)
    _trained(subject, [QUIET])  # changes any state that a class keeps outside of state()
    new = subject.fresh()
    other = new.pack([_other(new.member, *ME)])
    other.restore(0, torch.load(file, weights_only=True))
    play(other, STEPS)
    apart = difference(_all_of(other, 0), alone())
    return apart == 0, f"{STEPS // 2} + {STEPS - STEPS // 2} steps against {STEPS}: {apart:.3g}"
