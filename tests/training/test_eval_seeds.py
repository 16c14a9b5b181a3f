"""Several draws of latents for final and best values. Mistakes: equal draws, another training, another step's draws."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.training.continued import LONG, SHORT, begin, continued, lengthened, source, train
from tests.training.small import make_run
from tests.training.test_resume import assert_equal_tree, member_of

from gansweep.training import record
from gansweep.training.continuation import obstacle


def repeated(run, num=3):
    return replace(run, eval_seeds=num)


def test_the_final_value_is_the_mean_of_distinct_draws(tmp_path):
    metric = train(repeated(make_run()), tmp_path / "a")["metric"]
    last = metric["evaluations"][-1]
    assert len(set(last["draws"])) == 3
    assert last["draws"][0] == last["value"]
    assert metric["final"] == pytest.approx(sum(last["draws"]) / 3)
    assert all("draws" not in evaluation for evaluation in metric["evaluations"][:-1])
    best = next(e for e in metric["evaluations"] if e["step"] == metric["best_step"])
    assert len(set(best["apart_draws"])) == 3
    assert best["apart_draws"][0] == best["apart"]
    assert metric["best_apart"] == pytest.approx(sum(best["apart_draws"]) / 3)


def test_the_training_and_the_other_values_are_the_same(tmp_path):
    once, several = (train(run, tmp_path / name) for name, run in (("a", make_run()), ("b", repeated(make_run()))))
    assert_equal_tree(member_of(tmp_path / "a"), member_of(tmp_path / "b"))
    values = [[e["value"] for e in content["metric"]["evaluations"]] for content in (once, several)]
    assert values[0] == values[1]
    assert "draws" not in once["metric"]["evaluations"][-1]


def test_a_finished_run_is_measured_on_more_draws_without_training(tmp_path):
    run = make_run()
    train(run, tmp_path / "a")
    begin(source(run, tmp_path / "a"), repeated(run), tmp_path / "b")
    later = train(repeated(run), tmp_path / "b")
    at_once = train(repeated(run), tmp_path / "c")
    assert_equal_tree(member_of(tmp_path / "a"), member_of(tmp_path / "b"))
    assert later["metric"]["evaluations"][-1]["draws"] == at_once["metric"]["evaluations"][-1]["draws"]


def test_a_longer_run_has_no_draws_of_the_shorter_one(tmp_path):
    run = repeated(make_run(SHORT))
    train(run, tmp_path / "a")
    longer = lengthened(run, LONG)
    content = continued(run, longer, tmp_path / "a", tmp_path / "b")
    assert content["metric"] == train(longer, tmp_path / "c")["metric"]


@pytest.mark.parametrize("num", [1, 2, 3])
def test_fewer_draws_are_those_of_a_run_with_as_many(num, tmp_path):
    run = repeated(make_run(), 3)
    train(run, tmp_path / "a")
    content = continued(run, repeated(run, num), tmp_path / "a", tmp_path / "b")
    assert content["metric"] == train(repeated(run, num), tmp_path / "c")["metric"]


def test_more_draws_of_an_earlier_best_value_need_a_training():
    run, best = make_run(), {"step": 4, "value": 2.0, "apart": 2.1}
    rest = [{"step": 8, "value": 3.0}, {"step": 12, "value": 3.5}]
    assert obstacle(run, run, 12, [{"step": 0, "value": 9.0}, best, *rest]) == ""
    fewer = obstacle(repeated(run, 3), run, 12, [{"step": 0, "value": 9.0}, best, *rest])
    assert fewer == "eval_seeds=3: the best value, of step 4, was measured on fewer draws: 1"
    drawn = best | {"apart_draws": [2.1, 2.2, 2.0]}
    assert obstacle(repeated(run, 3), run, 12, [{"step": 0, "value": 9.0}, drawn, *rest]) == ""
    assert obstacle(repeated(run, 4), run, 12, [{"step": 0, "value": 9.0}, drawn, *rest]).endswith("fewer draws: 3")
    last = {"step": 12, "value": 1.0, "apart": 1.1}
    assert obstacle(repeated(run, 3), run, 12, [{"step": 0, "value": 9.0}, best, rest[0], last]) == ""


def test_a_draw_that_is_missing_leaves_no_mean():
    evaluations = [{"step": 0, "value": 9.0}, {"step": 4, "value": 3.0, "draws": [3.0, None]}]
    assert record.summary(evaluations)["final"] is None
