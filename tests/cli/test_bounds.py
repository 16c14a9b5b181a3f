"""cells=N and hours=H. Mistakes: a rerun trains more cells, the grid is not covered, the rest is not reported."""

from __future__ import annotations

import json

import pytest
from tests.cli.test_auto_seeds import write
from tests.cli.test_race_command import LINE as RACE
from tests.cli.test_race_command import rounds as race_rounds  # noqa: F401
from tests.cli.tiny import TINY

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.cli import sweeping
from gansweep.sweep.bounds import TimeLimit
from gansweep.sweep.cell import state
from gansweep.sweep.identity import sweep_name, training_config

LINE = ["-m", "optimizer=adam,sgd", "lr=1e-4,1e-3,1e-2", "seed=0,1", "name=x", "workers=1", "device=cpu"]


@pytest.fixture
def trained(monkeypatch):
    """Simulate cells that end at once, and return them in the order of training; interrupt after `limit` cells."""
    trained, limit = [], [10**6]

    def train_all(multirun, launcher=None):
        for cell in multirun.sweep().cells:
            if state(cell).is_result:
                continue
            if len(trained) >= limit[0]:
                return 130, True
            trained.append((cell.overrides["optimizer"], cell.config["lr"], cell.config["seed"]))
            write(cell, 10.0 + cell.config["lr"] + cell.config["seed"])
        return 0, False

    monkeypatch.setattr(sweeping.Multirun, "train_all", train_all)
    return trained, limit


def note(gansweep, sweep="x"):
    return json.loads((gansweep.folder / "outputs" / sweep / "sweep.json").read_text()).get("bound")


def test_the_first_cells_cover_the_grid_and_a_rerun_trains_nothing(gansweep, trained):
    answer = gansweep(*LINE, "cells=4")
    assert answer.code == 0, answer.err
    cells = trained[0].copy()
    assert len(cells) == len(set(cells)) == 4
    assert {seed for *_, seed in cells} == {0}
    assert [name for name, *_ in cells].count("sgd") == 2
    assert len({rate for _, rate, _ in cells[:3]}) == 3
    assert "8 of 12 cells are not trained: cells=4." in (gansweep.folder / "outputs/x/table.md").read_text()
    again = gansweep(*LINE, "cells=4")
    assert again.out == answer.out
    assert trained[0] == cells


def test_more_cells_and_no_bound_continue(gansweep, trained):
    gansweep(*LINE, "cells=3")
    assert gansweep(*LINE, "cells=8").code == 0
    assert len(trained[0]) == 8
    assert {seed for *_, seed in trained[0][:6]} == {0}
    assert "4 of 12 cells are not trained: cells=8." in note(gansweep)
    assert gansweep(*LINE).code == 0
    assert len(trained[0]) == len(set(trained[0])) == 12
    assert note(gansweep) is None
    assert "not trained" not in (gansweep.folder / "outputs/x/table.md").read_text()


def test_an_interrupted_command_ends_with_the_same_cells(gansweep, trained):
    gansweep(*LINE, "cells=8", "name=whole")
    whole = set(trained[0])
    trained[0].clear()
    trained[1][0] = 3
    assert gansweep(*LINE, "cells=8").code == 130
    trained[1][0] = 10**6
    assert gansweep(*LINE, "cells=8").code == 0
    assert set(trained[0]) == whole
    assert len(trained[0]) == 8


def test_the_plan_lists_the_included_cells_in_the_order_of_training(gansweep, trained):
    answer = gansweep(*LINE, "cells=5", "plan=json")
    plan = json.loads(answer.out)
    assert plan["num_trained"] == len(plan["cells"]) == 5
    assert "7 of 12 cells are not trained: cells=5." in plan["notes"]
    assert not (gansweep.folder / "outputs").exists()
    gansweep(*LINE, "cells=5")
    assert [(c["overrides"]["optimizer"], c["overrides"]["lr"]) for c in plan["cells"]] == [c[:2] for c in trained[0]]


def test_a_search_trains_its_first_points(gansweep, trained):
    line = ["-m", "optimizer=adam,sgd", "lr=interval(1e-5,1e-1)", "name=x", "workers=1", "device=cpu"]
    gansweep(*line, "num=8", "cells=6")
    part = set(trained[0])
    trained[0].clear()
    gansweep(*line, "num=3", "name=y")
    assert part == set(trained[0])


def test_the_report_names_what_was_left_out(gansweep, trained):
    from gansweep.report.study import Study

    gansweep(*LINE, "cells=5")
    assert Study.read(gansweep.folder / "outputs/x").notes == ("7 of 12 cells are not trained: cells=5.",)


@pytest.mark.slow
def test_automatic_seeds_within_a_bound(gansweep, trained):
    line = [*[one for one in LINE if not one.startswith("seed=")], "seeds=auto"]
    assert gansweep(*line, "cells=8").code == 0
    assert [seed for *_, seed in trained[0]] == [0] * 6 + [1] * 2
    assert "4 of 12 cells that the race asks for next are not trained: cells=8." in note(gansweep)
    plan = gansweep(*line, "cells=8", "plan=true").out
    assert "Nothing is left to train." in plan
    assert "more run" not in plan
    assert gansweep(*line, "cells=8").code == 0
    assert len(trained[0]) == 8
    assert gansweep(*line, "cells=1000", "most_seeds=3").code == 0
    assert len(set(trained[0])) == len(trained[0]) > 12
    assert note(gansweep) is None


@pytest.mark.slow
def test_a_race_over_steps_within_a_bound(gansweep, race_rounds):  # noqa: F811
    played, _ = race_rounds
    assert gansweep(*RACE, "race=steps", "cells=10").code == 0
    assert sum(map(len, played)) == 10
    assert len(gansweep.records("race")) == 10
    assert note(gansweep, "race") == "1 of 1 cell that the race asks for next is not trained: cells=10."
    gansweep(*RACE, "race=steps", "cells=10")
    assert sum(map(len, played)) == 10
    gansweep(*RACE, "race=steps", "cells=18")
    gansweep(*RACE, "race=steps", "name=whole")
    ended = {name: content["state"] for name, content in gansweep.records("race").items()}
    assert ended == {name: content["state"] for name, content in gansweep.records("whole").items()}


def test_tpe_within_a_bound(gansweep):
    pytest.importorskip("optuna", reason="needs gansweep[search]")
    tiny = [setting for setting in TINY if setting not in ("~metric", "pack=1")] + ["metric.num_samples=8"]
    line = [*tiny, "-m", "lr=interval(1e-5,1e-1)", "sampler=tpe", "num=5", "seed=0,1", "name=x"]
    answer = gansweep(*line, "cells=5")
    assert answer.code == 0, answer.err
    assert len(gansweep.records("x")) == 4
    assert "3 of 5 points are not trained: cells=5." in answer.out
    refused = gansweep(*line, "cells=1")
    assert refused.code == 2
    assert "cells=1: expected at least 2, as every point has 2 seeds" in refused.err


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("cells=0", "cells=0: expected a whole number, at least 1"),
        ("cells=2.5", "cells=2.5: expected"),
        ("cells=1,2", "cells: belongs to the sweep as a whole"),
        ("hours=0", "hours=0.0: expected a number of hours > 0"),
        ("hours=.inf", "hours="),
        ("hours=long", "hours=long: expected a number"),
    ],
)
def test_other_values_are_refused_before_anything_is_trained(gansweep, trained, wrong, message):
    answer = gansweep(*LINE, wrong)
    assert answer.code == 2
    assert message in answer.err
    assert trained[0] == []


def test_bounds_are_not_part_of_the_identity_or_the_name():
    assert training_config({"cells": 5, "hours": 2.0, "steps": 1}) == {"steps": 1}
    assert sweep_name(["lr=1", "cells=5", "hours=2"]) == sweep_name(["lr=1"])


def test_hours_needs_the_launcher_that_can_end_a_run(gansweep):
    answer = gansweep(*TINY, "-m", "seed=0,1", "hours=1", "hydra/launcher=basic")
    assert answer.code == 2
    assert "hours=1: needs hydra/launcher=gansweep_local" in answer.err


SMALL = [*(one for one in TINY if one not in ("~metric", "steps=2")), "steps=6", "metric.num_samples=8"]


def test_running_cells_are_saved_when_the_time_is_over_and_the_same_line_continues(gansweep, monkeypatch):
    line = [*SMALL, "-m", "seed=0,1,2", "hours=1", "name=x"]
    numbers, steps = [], AdversarialPack.steps

    def counted(pack):
        numbers.append(0)
        for report in steps(pack):
            numbers[-1] += 1
            yield report

    with monkeypatch.context() as patch:
        patch.setattr(AdversarialPack, "steps", counted)
        patch.setattr(TimeLimit, "reached", lambda limit: numbers[1:] == [3])  # in the third step of the second cell
        answer = gansweep(*line)
    assert answer.code == 0
    assert len(gansweep.records("x")) == 1
    assert note(gansweep) == "2 of 3 cells are not finished: hours=1."
    assert "hours=1 has passed. To continue: python -m gansweep " in answer.out
    assert "resumable from step 3 of 6" in gansweep(*line, "plan=true").out
    again = gansweep(*line)
    assert again.code == 0
    assert note(gansweep) is None
    assert gansweep(*[one for one in line if one not in ("hours=1", "name=x")], "name=whole").code == 0
    finals = [{n: r["metric"] for n, r in gansweep.records(sweep).items()} for sweep in ("x", "whole")]
    assert finals[0] == finals[1], "the bits of a bounded sweep are those of one without bounds"
    assert len(finals[0]) == 3


def test_the_plan_estimates_how_many_cells_end_in_time(gansweep):
    line = [*SMALL, "-m", "seed=0,1,2", "name=x"]
    assert "hours=1000: enough for all 3 cells" in gansweep(*line, "hours=1000", "plan=true").out
    assert "hours=1e-09: about the first 0 of these 3 cells" in gansweep(*line, "hours=1e-9", "plan=true").out


@pytest.mark.slow
@pytest.mark.parametrize(
    "more",
    [
        ["lr=1e-4,1e-3", "seed=0,1", "race=steps"],
        ["lr=1e-4,1e-3", "seeds=auto", "most_seeds=2"],
        ["lr=1e-4,1e-3", "seeds=auto", "most_seeds=2", "race=steps"],
        ["lr=interval(1e-5,1e-1)", "num=2", "sampler=tpe", "seed=0,1"],
        ["lr=interval(1e-5,1e-1)", "num=2", "seed=0,1", "race=steps"],
    ],
)
def test_races_and_searches_within_hours_are_continued_by_the_same_line(gansweep, more):
    """Mistake: the end of the time taken for the end of the race, or of the search."""
    if "sampler=tpe" in more:
        pytest.importorskip("optuna", reason="needs gansweep[search]")
    line = [*SMALL, "trainer.eval_every=2", "-m", *more, "name=x"]
    answer = gansweep(*line, "hours=1e-9")
    assert answer.code == 0, answer.err
    assert not gansweep.records("x")
    assert "4 of 4 cells" in note(gansweep)
    assert "not finished: hours=1e-09." in note(gansweep)
    answer = gansweep(*line, "hours=10")
    assert answer.code == 0, answer.err
    assert len(gansweep.records("x")) == 4
    assert note(gansweep) is None
