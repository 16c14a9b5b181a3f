"""sampler=tpe. Mistakes: a result of another point, a divergence as a value, other points after an interruption."""

from __future__ import annotations

import math

import pytest
from tests.cli import tiny

from gansweep.cli import tpe_search

pytest.importorskip("optuna", reason="needs gansweep[search]")

TINY = [setting for setting in tiny.TINY if setting not in ("~metric", "pack=1")] + ["metric.num_samples=8"]
LINE = ("-m", "optimizer=adam,sgd", "lr=interval(1e-5,1e-1)", "sampler=tpe", "name=x")


@pytest.fixture
def rounds_of_two(monkeypatch):
    monkeypatch.setattr(tpe_search, "ROUND", 2)


def trained(gansweep):
    return {name: record["metric"]["final"] for name, record in gansweep.records("x").items()}


@pytest.mark.slow
@pytest.mark.usefixtures("rounds_of_two")
def test_an_interrupted_search_continues_with_the_same_points(gansweep):
    whole = gansweep(*TINY, *LINE, "num=5")
    assert whole.code == 0
    assert "sampler=tpe: 4 of 5 points are done" in whole.out + whole.err
    # Of a few steps no point is better than the untrained generator, so none is named.
    assert "sampler=tpe: 5 points, none better than the untrained generator." in whole.out
    points = trained(gansweep)
    assert len(points) == 5
    assert gansweep(*TINY, *LINE, "num=5").code == 0
    assert trained(gansweep) == points
    assert gansweep(*TINY, *LINE, "num=6").code == 0
    assert points.items() < trained(gansweep).items()


@pytest.mark.usefixtures("rounds_of_two")
def test_points_follow_from_the_results(gansweep, monkeypatch):
    told = []
    monkeypatch.setattr(tpe_search, "_value", lambda runs: told.append(runs[0].cell.config["lr"]) or math.log(told[-1]))
    assert gansweep(*TINY, "-m", "lr=interval(1e-5,1e-1)", "sampler=tpe", "num=24", "name=x").code == 0
    assert len(told) == 24
    assert sorted(told[12:])[6] < sorted(told[:12])[6], "the estimator moves towards low values"


def test_every_point_is_trained_with_every_seed(gansweep):
    assert gansweep(*TINY, *LINE, "seed=0,1", "num=2").code == 0
    seeds = {}
    for record in gansweep.records("x").values():
        seeds.setdefault(record["config"]["lr"], set()).add(record["config"]["seed"])
    assert list(seeds.values()) == [{0, 1}, {0, 1}]


def test_every_kind_of_seed_is_a_repetition(gansweep):
    """Mistake: a search for the best initialisation."""
    line = [*LINE, "seed_init=0,1", "seed_data=0,1"]
    assert "8 cells: 8 new" in gansweep(*TINY, *line, "num=2", "plan=true").out
    refused = gansweep(*TINY, *line, "num=2", "cells=3")
    assert "cells=3: expected at least 4, as every point has 4 seeds" in refused.err


@pytest.mark.usefixtures("rounds_of_two")
def test_a_diverged_point_is_infeasible(gansweep):
    answer = gansweep(*TINY, "-m", "optimizer=sgd", "lr=interval(1e30,1e35)", "sampler=tpe", "num=3", "name=x")
    assert answer.code == 0
    assert "sampler=tpe: 3 points, none with a value." in answer.out


def test_the_plan_shows_the_first_round(gansweep):
    answer = gansweep(*TINY, *LINE, "num=20", "plan=true")
    assert answer.code == 0
    assert "8 cells: 8 new" in answer.out
    assert "12 more points follow" in answer.out
    assert not gansweep.records("x")


@pytest.mark.parametrize(
    ("more", "words"),
    [(("seeds=auto",), "seeds=auto"), (("race=steps",), "race=steps"), (("lr_d=interval(0,0)",), "lr_d")],
)
def test_mistakes_are_named_before_anything_is_trained(gansweep, more, words):
    answer = gansweep(*TINY, *LINE, "num=2", *more)
    assert answer.code == 2
    assert words in answer.err
    assert not gansweep.records("x")
