"""Tuning and judging runs of a tiny track: equal budgets, what is chosen, and lines that continue."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from gansweep.config.errors import BadConfig
from gansweep.sweep.cell import State
from gansweep.track.track import Track
from gansweep.track.training import judge, seconds_to_target, steps_to_target, tune, tuning_loss
from tests.track import tiny

BUDGET = 8


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Folder in which `tiny` is the only track."""
    folder = tmp_path_factory.mktemp("track")
    with pytest.MonkeyPatch.context() as patch:
        tiny.install(patch, folder / "conf")
        patch.setattr("gc.collect", lambda *generation: 0)
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="module")
def track(place):
    return Track.load("tiny")


@pytest.fixture(scope="module")
def tuned(track):
    return tune(track, ["optimizer=rmsprop"], BUDGET, tiny.LIGHT)


def stamps():
    return {path: path.stat().st_mtime_ns for path in Path("outputs").glob("*/*/record.json")}


def test_the_budget_is_five_eighths_points_and_the_rest_further_seeds(tuned, track):
    assert sum(len(point.results) for point in tuned) == BUDGET
    assert [sorted(point.results) for point in tuned] == [[1000, 1001]] * 3 + [[1000]] * 2
    rates = [point.overrides["lr"] for point in tuned]
    assert len(set(rates)) == 5
    assert all(1e-2 <= rate <= 1 for rate in rates)
    assert all(point.words[0] == "optimizer=rmsprop" for point in tuned)


def test_the_best_points_get_further_seeds_and_the_best_of_these_is_first(tuned, track):
    def first_seed(point):
        return tuning_loss(track, [point.results[1000]])

    assert max(first_seed(point) for point in tuned[:3]) <= min(first_seed(point) for point in tuned[3:])
    assert [point.loss(track) for point in tuned[:3]] == sorted(point.loss(track) for point in tuned[:3])
    assert [first_seed(point) for point in tuned[3:]] == sorted(first_seed(point) for point in tuned[3:])


def test_the_same_line_trains_nothing_and_chooses_the_same(tuned, track):
    before = stamps()
    again = tune(track, ["optimizer=rmsprop"], BUDGET, tiny.LIGHT)
    assert stamps() == before
    assert [point.words for point in again] == [point.words for point in tuned]


def test_the_choice_of_finalists_does_not_depend_on_their_further_seeds(tuned, track, monkeypatch):
    """If the further seeds of the finalists are bad, a continued line must not choose others in their place."""
    before = stamps()

    def bad_with_further_seeds(track, results):
        loss = tuning_loss(track, results)
        return loss if [result.cell.config["seed"] for result in results] == [1000] else (1e9, 1e9)

    monkeypatch.setattr("gansweep.track.training.tuning_loss", bad_with_further_seeds)
    again = tune(track, ["optimizer=rmsprop"], BUDGET, tiny.LIGHT)
    assert stamps() == before
    assert {tuple(point.words) for point in again[:3]} == {tuple(point.words) for point in tuned[:3]}


def test_listed_values_share_the_budget(track, monkeypatch):
    lines = []
    monkeypatch.setattr("gansweep.track.training._train", lambda _track, words, *_: lines.append(words))
    monkeypatch.setattr("gansweep.track.training._tried", lambda *_: [])
    tune(track, ["optimizer=adam,sgd"], 16)
    assert "num=5" in lines[0], "two optimizers, five points each: 10 of 16 trainings"
    with pytest.raises(BadConfig, match="--budget=3: too small for 2 combinations"):
        tune(track, ["optimizer=adam,sgd"], 3)
    with pytest.raises(BadConfig, match="loss=wgan: track tiny fixes it"):
        tune(track, ["loss=wgan"], 8)
    with pytest.raises(BadConfig, match="steps=2: track tiny fixes it"):
        tune(track, [], 8, ["steps=2"])


def test_judging_seeds_only_and_a_shorter_line_first(tuned, track):
    path, some = judge(track, ["optimizer=rmsprop", "lr=0.1"], [0, 1], tiny.LIGHT)
    assert sorted(some) == [0, 1]
    assert path.parts[0] == "outputs"
    before = stamps()
    same_path, runs = judge(track, ["optimizer=rmsprop", "lr=0.1"], track.judging_seeds, tiny.LIGHT)
    assert (same_path, sorted(runs)) == (path, [0, 1, 2, 3, 4])
    assert {file: stamps()[file] for file in before} == before
    assert all(run.cell.config["seed"] == seed for seed, run in runs.items())
    with pytest.raises(BadConfig, match="expected judging seeds"):
        judge(track, [], [1000])


def test_runs_of_another_version_of_the_track_do_not_count(track):
    longer = replace(track, settings=track.settings | {"steps": 6})
    words = ["optimizer=sgd", "lr=0.01"]
    _, before = judge(track, words, [0, 1], tiny.LIGHT)
    _, after = judge(longer, words, [0, 1], tiny.LIGHT)
    assert {len(run.evaluations) for run in after.values()} == {7}
    _, again = judge(track, words, [0, 1], tiny.LIGHT)
    assert {len(run.evaluations) for run in again.values()} == {5}
    assert again[0].values() == before[0].values()


@pytest.mark.parametrize("word", ["lr=1e-3,1e-2", "lr=interval(1e-3,1)", "optimizer=adam,sgd", "lr=choice(1,2)"])
def test_an_entry_has_one_value_of_each_setting(word, track):
    with pytest.raises(BadConfig, match=r"several values; an entry has one. To search: gansweep track tune tiny"):
        judge(track, [word], [0])


def test_a_run_that_diverges_never_reaches_the_target(track):
    _, runs = judge(track, ["optimizer=sgd", "lr=1e30"], [0], tiny.LIGHT)
    assert runs[0].state is State.DIVERGED
    assert steps_to_target(track, runs[0]) == seconds_to_target(track, runs[0]) == math.inf
    assert tuning_loss(track, [runs[0]]) == (2 * track.steps, math.inf)


def test_the_time_is_that_of_the_first_evaluation_at_the_target(tuned, track):
    run = tuned[0].results[1000]
    step = steps_to_target(track, run)
    assert run.values()[step] <= track.target < min([v for s, v in run.values().items() if s < step], default=math.inf)
    assert seconds_to_target(track, run) == run.trained_s[step]
