"""Entries with made-up runs, for tests of the reader, the board and the page."""

from __future__ import annotations

import math

from gansweep.track import shape
from gansweep.track.contradictions import hash_of
from gansweep.track.entry import Entry, EntryRun


def entry(track, times, name="adam", words=("optimizer=adam", "lr=0.001"), **changed):
    """Return an entry of a track whose runs reach the target at `times` by seed; None for a diverged run."""
    identity = {
        "config": {"steps": track.steps, "lr": 0.001, "words": list(words)},
        "data": "0" * 64,
        "numerics": "4",
    }
    every = track.settings["trainer.eval_every"]
    fields = {
        "track": track.name,
        "fingerprint": track.fingerprint,
        "target": track.target,
        "confidence": track.confidence,
        "name": name,
        "author": "A. Author",
        "date": "2026-01-02",
        "overrides": list(words),
        "identity": identity,
        "metric": {"metric": "w1", "version": 1},
        "runs": {seed: _run(track, every, time, hash_of(identity, seed)) for seed, time in times.items()},
        "tuning": None,
        "versions": {"torch": "2.9"},
        "device": {"type": "cpu", "name": "a CPU"},
        "code": {},
    }
    return Entry(**fields | changed)


def _run(track, every, time, hash_):
    if time is None:
        values = {0: 2.0, every: 1.5}
        divergence = {"step": every + 1, "player": "generator", "cause": "loss is not finite"}
        return EntryRun(shape.DIVERGED, hash_, values, divergence, {every: 1.0}, 2)
    steps = range(0, track.steps + 1, every)
    values = {step: track.target * (0.9 if step >= time else 1.5) for step in steps}
    at = [step for step in {track.steps, time} if math.isfinite(step)]
    return EntryRun(shape.COMPLETED, hash_, values, None, {int(step): step / 100 for step in sorted(at)}, 2)
