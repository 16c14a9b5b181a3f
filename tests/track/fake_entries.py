"""A small track, and entries with chosen times and tuning runs."""

from __future__ import annotations

import math

from gansweep.track.board import Board
from gansweep.track.contradictions import hash_of
from gansweep.track.entry import Entry, EntryRun, Tuning, TuningRun
from gansweep.track.track import Track

STEPS, EVERY, SEEDS = 1000, 50, 20


def track(name="toy", seeds=SEEDS):
    return Track.of(
        name,
        {
            "title": f"track {name}",
            "settings": {"data": "ring", "steps": STEPS, "trainer.eval_every": EVERY},
            "target": 1.0,
            "free": ["optimizer", "lr", "schedule", "dynamics", "trainer.ema"],
            "tuning": {"seeds": [1000, 1001], "budget": 8, "search": {"lr": "interval(1e-3,1)"}},
            "judging": {"seeds": seeds, "confidence": 0.95, "level": 0.01},
            "skeptical": {"first_seed": 2000},
        },
    )


def entry(of, name, times, overrides=("optimizer=adam", "lr=0.1"), tuning=None, date="2026-11-01", author="us"):
    """Return an entry.

    Args:
        of: the track.
        name: its name.
        times: steps to the target by seed, or in the order of the seeds; None: diverged, infinity: never.
        overrides: its settings.
        tuning: steps to the target by rate, with the first tuning seed; None: diverged.
        date: of the last training.
        author: who submits.
    """
    times = times if isinstance(times, dict) else dict(enumerate(times))
    identity = {"config": {"steps": STEPS, "name": name}, "data": "d", "numerics": "1"}
    runs = {seed: _run(identity, seed, time) for seed, time in times.items()}
    tried = None
    if tuning is not None:
        states = [
            ("diverged" if time is None else "completed", math.inf if time is None else time)
            for time in tuning.values()
        ]
        rates = zip(tuning, states, strict=True)
        tried = Tuning(8, [TuningRun({"lr": lr}, 1000, state, time, None) for lr, (state, time) in rates])
    return Entry(
        of.name, of.fingerprint, of.target, of.confidence, name, author, date, list(overrides), identity,
        {"name": "w1"}, runs, tried, {"torch": "2.14"}, {"type": "cpu"}, {},
    )  # fmt: skip


def board(name="toy", **entries):
    """Return the leaderboard of entries given by name: the arguments of `entry`."""
    of = track(name)
    return Board.of(of, [entry(of, key, **arguments) for key, arguments in entries.items()])


def _run(identity, seed, time):
    is_diverged = time is None
    last = EVERY if is_diverged else STEPS
    values = {step: 1.0 if not is_diverged and step >= time else 2.0 for step in range(0, last + 1, EVERY)}
    divergence = {"step": last + 1, "player": "generator", "cause": "not finite"} if is_diverged else None
    seconds = {step: step / 100 for step in values if step in (0 if time is None else time, last)}
    return EntryRun(
        "diverged" if is_diverged else "completed", hash_of(identity, seed), values, divergence, seconds, SEEDS
    )
