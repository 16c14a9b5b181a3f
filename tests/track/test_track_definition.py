"""Tracks: every file composes and is valid, what is free, seeds that never overlap, what the fingerprint covers."""

from __future__ import annotations

import copy

import pytest

from gansweep.cli import grid
from gansweep.cli.hydra_app import composed
from gansweep.config.errors import SettingError
from gansweep.track.track import Track, frozen_differences, names
from gansweep.track.words import check_words, split
from tests.track import tiny

TINY = Track.of("tiny", tiny.CONTENT)


def changed(**parts):
    content = copy.deepcopy(tiny.CONTENT)
    for key, value in parts.items():
        content[key] = content[key] | value if isinstance(value, dict) else value
    return Track.of("tiny", content)


@pytest.mark.parametrize("name", names())
def test_every_track_composes_and_fixes_what_a_number_depends_on(name):
    track = Track.load(name)
    assert {"data", "model", "loss", "batch_size", "steps", "metric", "trainer.eval_every"} <= track.settings.keys()
    assert not [key for key in track.settings if track.is_free(key)]
    (composition,) = composed(track.overrides, None)
    assert composition.problems == []
    assert composition.config["steps"] == track.steps
    assert track.steps % track.settings["trainer.eval_every"] == 0
    assert set(track.search) <= {key for key in composition.config if track.is_free(key)}


@pytest.mark.parametrize("name", ["ring", "digits"])
def test_the_runs_of_a_track_can_be_built(name):
    (composition,) = composed(Track.load(name).overrides, None)
    assert grid.cell_of(composition.config, composition.overrides, composition.choices, grid.Path()).hash


@pytest.mark.parametrize("name", names())
def test_the_seeds_of_tuning_judging_and_repetition_are_disjoint(name):
    track = Track.load(name)
    assert not set(track.tuning_seeds) & set(track.judging_seeds)
    assert track.first_skeptical_seed > max(*track.tuning_seeds, *track.judging_seeds)
    assert len(set(track.tuning_seeds)) == len(track.tuning_seeds) >= 2


@pytest.mark.parametrize(
    "parts",
    [
        {"tuning": {"seeds": [4, 1000]}},
        {"judging": {"seeds": 1001}},
        {"skeptical": {"first_seed": 1001}},
        {"target": float("nan")},
        {"judging": {"level": 0}},
        {"judging": {"confidence": 0.5}},
    ],
    ids=str,
)
def test_a_track_that_cannot_judge_is_refused(parts):
    with pytest.raises(ValueError, match="seeds|out of range"):
        changed(**parts)


def test_a_faulty_file_is_named(tmp_path, monkeypatch):
    tiny.install(monkeypatch, tmp_path, target="low")
    with pytest.raises(SettingError, match="track=tiny: not a valid track: ValueError"):
        Track.load("tiny")
    with pytest.raises(SettingError, match="did you mean tiny"):
        Track.load("tin")


FREE = ["optimizer", "optimizer.betas", "optimizer_d", "optimizer_d.eps", "lr", "lr_d", "schedule_d", "schedule_beta"]


@pytest.mark.parametrize("key", [*FREE, "schedule_ema", "trainer.ema"])
def test_settings_that_an_entry_chooses(key):
    assert TINY.is_free(key)


@pytest.mark.parametrize(
    "key", ["loss", "loss.penalties.r1.weight", "batch_size", "seed", "trainer.eval_every", "trainer", "schedule_noise"]
)
def test_settings_that_it_does_not(key):
    assert not TINY.is_free(key)


def test_frozen_differences_are_the_keys_that_are_not_free():
    reference = {"seed": 0, "lr": 1, "lr_d": 1, "loss": {"a": 1, "b": {"c": 2}}, "steps": 4, "optimizer": {"eps": 1}}
    other = {"seed": 3, "lr": 2, "lr_d": 5, "loss": {"a": 1, "b": {"c": 3}}, "steps": 4, "optimizer": {"beta": 2}}
    assert frozen_differences(TINY, other, reference) == ["loss.b.c"]
    assert frozen_differences(TINY, {**other, "model": 1}, {**reference, "steps": 5}) == ["loss.b.c", "model", "steps"]
    assert frozen_differences(TINY, reference, reference) == []


def test_the_fingerprint_covers_the_rule_but_no_words():
    assert changed(title="another").fingerprint == TINY.fingerprint
    others = [
        changed(settings={"steps": 5}),
        changed(target=1.8),
        changed(free=["lr"]),
        changed(tuning={"budget": 9}),
        changed(judging={"level": 0.04}),
        changed(judging={"seeds": 6}),
    ]
    assert len({track.fingerprint for track in [TINY, *others]}) == 7


def test_words_are_divided_into_those_of_the_entry_and_those_of_the_process():
    words = ["optimizer=sgd", "workers=1", "optimizer@optimizer_d=adam", "allow=[my_gans]", "trainer.log_every=9"]
    assert split(TINY, words) == ([words[0], words[2]], [words[1], *words[3:]])


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("loss=wgan", "fixes it; free: optimizer"),
        ("trainer.eval_every=2", "fixes it"),
        ("loss@loss_2=wgan", "fixes it"),
        ("seed=3", "fixes the seeds"),
        ("seeds=auto", "--seeds auto"),
        ("name=mine", "chooses the runs and their folder"),
        ("fresh=true", "chooses the runs"),
        ("hydra.sweep.dir=x", "chooses the runs"),
        ("race=steps", "chooses the runs"),
        ("experiment=mescheder_images", "fixes it"),
        ("sgd", "expected KEY=VALUE"),
        ("~metric", "expected KEY=VALUE"),
    ],
)
def test_words_that_are_refused(word, expected):
    with pytest.raises(ValueError, match=expected):
        split(TINY, [word])
    with pytest.raises(ValueError, match=r"fixes it|expected KEY=VALUE|fixes the seeds|chooses the runs"):
        check_words(TINY, [word])
