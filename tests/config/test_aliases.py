"""A setting with a former name: both are accepted, and a training has one identity under either."""

from __future__ import annotations

import pytest

from gansweep.cli.compose_line import composed
from gansweep.config.instantiate import Constructor
from gansweep.schedules.cosine import Cosine
from gansweep.sweep.identity import training_config

WARMUP = "gansweep.schedules.warmup.Warmup"
COSINE = {"_target_": "gansweep.schedules.cosine.Cosine", "end": 0.5}


@pytest.mark.parametrize("key", ["of", "after"])
def test_warmup_has_its_schedule_under_both_names(key):
    make, node = Constructor(), {"_target_": WARMUP, "length": 3, key: dict(COSINE)}
    assert make(node, "schedule").after == Cosine(end=0.5)
    assert make.problems == []
    assert node == {"_target_": WARMUP, "length": 3, "after": COSINE}


def test_the_default_under_the_one_name_gives_way_to_a_choice_under_the_other():
    node = {"_target_": WARMUP, "of": {"_target_": "gansweep.schedules.constant.Constant"}, "after": dict(COSINE)}
    assert Constructor()(node, "schedule").after == Cosine(end=0.5)


def test_two_choices_are_refused():
    make = Constructor()
    make({"_target_": WARMUP, "of": dict(COSINE), "after": dict(COSINE)}, "schedule")
    assert [str(one) for one in make.problems] == [
        "schedule.after: is another name of schedule.of; expected one of them"
    ]


def test_problems_have_the_name_that_all_wrappers_share():
    make = Constructor()
    make({"_target_": WARMUP, "off": 1, "of": {"_target_": COSINE["_target_"], "end": -1}}, "schedule")
    assert [str(one).partition(".")[2] for one in make.problems] == [
        "off=1: unknown key; did you mean schedule.of? Accepted here: length, of",
        "of.end=-1.0: expected a number >= 0",
    ]


@pytest.mark.parametrize("outer", ["warmup", "equal_area", "per_epoch"])
def test_every_wrapping_schedule_holds_another_at_the_same_key(outer):
    line = [f"schedule={outer}", "schedule@schedule.of=cosine", "schedule.of.end=0.5"]
    (composition,) = composed(line, None)
    assert composition.problems == []
    assert composition.config["schedule"]["of"]["end"] == 0.5


def test_lines_with_the_former_name_are_the_same_training():
    from gansweep.config.build import check

    configs = []
    for key in ("of", "after"):
        line = ["schedule=warmup", f"schedule@schedule.{key}=cosine", f"schedule.{key}.end=0.5"]
        (composition,) = composed(line, None)
        checked = check(composition.config)
        assert checked.problems == []
        configs.append(training_config(checked.config))
    assert configs[0] == configs[1]
    assert configs[0]["schedule"]["after"]["end"] == 0.5


def test_a_wrong_key_is_told_with_the_right_one():
    (composition,) = composed(["schedule@schedule_d=warmup", "schedule_d.around=cosine"], None)
    (problem,) = composition.problems
    assert str(problem).startswith("schedule_d.around=cosine: unknown key; did you mean schedule_d.of?")
