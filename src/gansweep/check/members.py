"""Whether a member is itself: beside any neighbours, and after an interruption."""

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
LOWEST = 1e-3  # rate at which a coupling would show in float32
COUPLED = "reduce over everything but axis 0, the members: norms, means and clips per row"
REMEMBERED = "keep what is remembered in tensors (K, ...) of state(), nothing in attributes; use the step given"


def checks(subject: Subject) -> Iterator[Check]:
    """Try it in the trainer, to the last bit."""
    alone = cache(partial(_alone, subject))
    yield Check(
        "members",
        "the same seed gives the same bits",
        "draw random numbers from a generator of the seed, never from torch's global one",
        partial(_repeats, subject, alone),
    )
    yield Check("members", "the same bits beside other neighbours", COUPLED, partial(_in_company, subject, alone))
    yield Check("members", "the same bits beside a NaN neighbour", COUPLED, partial(_beside_nan, subject, alone))
    yield Check("members", "goes on bit for bit after a restart", REMEMBERED, partial(_resumes, subject, alone))


def _other(one: Member, seed: int, factor: float) -> Member:
    """Return a neighbour of the same optimizer and objective, at another seed and other rates."""
    g, d = one.generator, one.discriminator
    rates = [max(player.lr, LOWEST) * factor for player in (g, d)]
    return replace(one, seed=seed, generator=replace(g, lr=rates[0]), discriminator=replace(d, lr=rates[1]))


def _trained(subject: Subject, cast: Sequence[tuple[int, float]], nan: int | None = None) -> AdversarialPack:
    """Train members (seed, factor of the rate); all parameters of place `nan` are no numbers."""
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
    """Stop half way, save, train something else, and go on with fresh objects."""
    one = subject.fresh()
    half = one.pack([_other(one.member, *ME)])
    play(half, STEPS // 2)
    file = io.BytesIO()
    torch.save(half.export(0), file)
    file.seek(0)
    _trained(subject, [QUIET])  # leaves its traces in whatever a class keeps outside of its state
    new = subject.fresh()
    other = new.pack([_other(new.member, *ME)])
    other.restore(0, torch.load(file, weights_only=True))
    play(other, STEPS)
    apart = difference(_all_of(other, 0), alone())
    return apart == 0, f"{STEPS // 2} + {STEPS - STEPS // 2} steps against {STEPS}: {apart:.3g}"
