"""Entry files: what is written is read back, and the properties."""

from __future__ import annotations

import math

import pytest

from gansweep.track.entry import BadEntry, Entry, Tuning, TuningRun
from gansweep.track.track import Track
from tests.track.synthetic import entry


@pytest.fixture(scope="module")
def track():
    return Track.load("ring")


def _times(track, times):
    return dict(zip(track.judging_seeds, times, strict=True))


def test_an_entry_is_read_as_it_was_written(track, tmp_path):
    times = [math.inf, None, *range(100, 550, 25)]
    runs = [
        TuningRun({"lr": 0.1}, 1000, "completed", math.inf, 2.5),
        TuningRun({"lr": 1}, 1001, "diverged", 50.0, None),
    ]
    written = entry(track, _times(track, times), tuning=Tuning(32, runs))
    written.write(tmp_path / "adam.json")
    read = Entry.read(tmp_path / "adam.json")
    assert read == written
    assert read.times == _times(track, [math.inf if time is None else time for time in times])
    assert (tmp_path / "adam.json").stat().st_size < 25_000
    assert "Infinity" not in (tmp_path / "adam.json").read_text()


def test_the_score_and_the_seconds_are_those_of_the_rule(track, tmp_path):
    written = entry(track, _times(track, [*range(25, 525, 25)]))
    assert written.score == 375  # 15th of 20
    assert written.seconds == pytest.approx(262.5 / 100)
    half = entry(track, _times(track, [100] * 9 + [None] * 11))
    assert half.score == half.seconds == math.inf
    half.write(tmp_path / "half.json")
    assert Entry.read(tmp_path / "half.json").score == math.inf


def test_a_diverged_run_does_not_count_although_it_was_at_the_target(track):
    made = entry(track, {0: None})
    run = made.runs[0]
    at_target = type(run)(**vars(run) | {"values": {0: 2.0, 50: track.target / 2}})
    assert at_target.steps_to(track.target) == math.inf


@pytest.mark.parametrize(
    ("words", "method"),
    [
        (["optimizer=adam", "lr=0.1", "schedule=constant", "dynamics=alternating", "feedback=none"], "adam"),
        (["optimizer=adam", "optimizer@optimizer_d=sgd", "schedule=cosine"], "adam, d: sgd, cosine"),
        (["optimizer=adam", "optimizer.betas=[0.5,0.9]", "dynamics=extragradient"], "adam, extragradient"),
        (["optimizer=sgd", "trainer.ema=0.999", "clip_grad_norm=null"], "sgd, average"),
    ],
)
def test_the_name_of_the_method(track, words, method):
    assert entry(track, {0: 100}, words=words).method == method


def test_a_file_that_is_no_entry_has_a_message(tmp_path):
    (tmp_path / "list.json").write_text("[]")
    with pytest.raises(BadEntry, match=r"list\.json is not a valid entry\.\n  is a list, expected a mapping"):
        Entry.read(tmp_path / "list.json")
