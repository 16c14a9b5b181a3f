"""Nodes become objects of allowed classes, and every mistake is reported."""

from __future__ import annotations

import os

import pytest

from gansweep.cli.hydra_app import composed
from gansweep.config.instantiate import Broken, Constructor, NotAllowed, locate
from gansweep.losses.objective import Objective
from gansweep.losses.standard import Standard
from gansweep.optimizers.adam import Adam
from gansweep.penalties.r1 import R1
from gansweep.schedules.cosine import Cosine
from gansweep.sweep.identity import training_config

ADAM = "gansweep.optimizers.adam.Adam"


def loss(**changes):
    node = {
        "_target_": "gansweep.losses.objective.Objective",
        "game": {"_target_": "gansweep.losses.standard.Standard"},
        "penalties": {"r1": {"_target_": "gansweep.penalties.r1.R1", "weight": 3}},
    }
    return node | changes


def problems_of(node, where):
    make = Constructor()
    assert isinstance(make(node, where), Broken)
    return [str(problem) for problem in make.problems]


def test_objects_inside_objects_are_made_first():
    make = Constructor()
    assert make(loss(), "loss") == Objective(Standard(), {"r1": R1(weight=3.0)})
    assert make.problems == []


def test_numbers_are_written_back_in_their_types_so_that_equal_settings_look_equal():
    node = {"_target_": ADAM, "betas": [0, 0.9], "eps": 1}
    assert Constructor()(node, "optimizer") == Adam(betas=(0.0, 0.9), eps=1.0)
    assert repr(node["betas"]) == "[0.0, 0.9]"
    assert repr(node["eps"]) == "1.0"


def test_a_node_with_objects_inside_stays_a_node():
    node = loss(critic_steps=5.0)
    Constructor()(node, "loss")
    assert node["penalties"]["r1"]["_target_"] == "gansweep.penalties.r1.R1"
    assert repr(node["critic_steps"]) == "5"


def test_all_errors_of_a_node_are_reported_with_their_keys():
    told = problems_of({"_target_": ADAM, "betaz": [0, 1], "eps": "small", "amsgrad": 1}, "optimizer_d")
    assert told[0].startswith("optimizer_d.betaz=[0, 1]: unknown key; did you mean optimizer_d.betas?")
    assert told[1:] == [
        "optimizer_d.eps=small: expected a number",
        "optimizer_d.amsgrad=1: expected true or false",
    ]


def test_an_error_of_a_constructor_is_reported_with_its_key():
    penalties = {"r1": {"_target_": "gansweep.penalties.r1.R1", "weight": -1}}
    (told,) = problems_of(loss(penalties=penalties), "loss")
    assert told.startswith("loss.penalties.r1.weight=-1.0: ")


def test_a_missing_required_value_is_reported():
    for node in ({"_target_": "gansweep.losses.objective.Objective"}, loss(game="???")):
        assert problems_of(node, "loss") == ["loss.game: must be given"]


def test_an_object_of_another_type_is_reported():
    (told,) = problems_of(loss(game={"_target_": ADAM}), "loss")
    assert told.startswith("loss.game=")
    assert ": expected a Game; Adam has no class attribute relativistic (expected: True if the" in told


def test_hydras_own_words_mean_nothing_here():
    for word in ("_partial_", "_args_", "_convert_", "_recursive_"):
        (told,) = problems_of({"_target_": ADAM, word: True}, "optimizer")
        assert f"optimizer.{word}=true: unknown key" in told


def test_the_types_of_inherited_fields_are_looked_at():
    node = {"_target_": "gansweep.optimizers.lookahead.Lookahead", "of": {"_target_": ADAM}, "k": "often"}
    assert problems_of(node, "optimizer") == ["optimizer.k=often: expected a whole number"]


def test_all_errors_of_a_constructor_are_reported():
    node = {"_target_": ADAM, "betas": [0.5, 2.0], "eps": -1, "weight_decay": -2, "amsgrad": True}
    told = problems_of(node, "optimizer")
    assert [text.partition("=")[0] for text in told] == ["optimizer.betas", "optimizer.eps", "optimizer.weight_decay"]


def test_an_error_caused_by_a_removed_argument_is_not_reported():
    """Without the momentum that is wrong, nesterov would be, too."""
    node = {"_target_": "gansweep.optimizers.sgd.SGD", "momentum": 1.5, "weight_decay": -1, "nesterov": True}
    told = problems_of(node, "optimizer")
    assert [text.partition("=")[0] for text in told] == ["optimizer.momentum", "optimizer.weight_decay"]


def test_a_class_of_gansweep_is_found():
    assert locate("gansweep.optimizers.adam.Adam") is Adam


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "builtins.eval",
        "gansweepish.Thing",
        "gansweep.training.atomic.os.system",  # what a module imports is not the module's
        "gansweep.training.atomic.Path",
        "gansweep.training.atomic.write",  # a function
        "gansweep.optimizers.adam.Adams",
        "gansweep.no.such.Thing",
        "gansweep",
        "",
        None,
        3,
    ],
)
def test_anything_else_is_refused(target):
    with pytest.raises(NotAllowed):
        locate(target)


def test_a_module_that_is_not_allowed_is_not_even_imported(tmp_path, monkeypatch):
    (tmp_path / "burns.py").write_text("raise RuntimeError('was imported')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(NotAllowed, match=r"allow=\[burns\]"):
        locate("burns.Thing")


def test_the_user_allows_modules_of_their_own(tmp_path, monkeypatch):
    for name in ("mine_allowed", "mine_allowed_too"):
        (tmp_path / f"{name}.py").write_text("class Thing: pass")
    monkeypatch.syspath_prepend(tmp_path)
    assert locate("mine_allowed.Thing", ["mine_allowed"]).__name__ == "Thing"
    with pytest.raises(NotAllowed):
        locate("mine_allowed_too.Thing", ["mine_allowed"])


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


def test_an_unknown_key_is_reported_with_the_right_one():
    (composition,) = composed(["schedule@schedule_d=warmup", "schedule_d.around=cosine"], None)
    (problem,) = composition.problems
    assert str(problem).startswith("schedule_d.around=cosine: unknown key; did you mean schedule_d.of?")


BROKEN_MODULES = {
    "def f()": "1: SyntaxError: expected ':'",
    "x = 1\nundefined": "2: NameError: name 'undefined' is not defined",
    "import no_such_module": "1: No module named 'no_such_module'",
    "raise SystemExit(3)": "1: SystemExit: 3",
    "import os\n\nos._exit(3)": "3: SystemExit: 3",
    "import json\n\njson.loads('')": "3: JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
    "def f(): f()\nf()": "1: RecursionError: maximum recursion depth exceeded",
}


@pytest.mark.parametrize("source", BROKEN_MODULES)
def test_a_module_that_raises_is_one_problem_with_file_and_line(source, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    package = tmp_path / f"broken_{abs(hash(source))}"
    package.mkdir()
    file = package / "part.py"
    file.write_text(source)
    make = Constructor([package.name])
    assert isinstance(make({"_target_": f"{package.name}.part.Part"}, "optimizer"), Broken)
    (problem,) = map(str, make.problems)
    expected = f"{package.name}.part.Part can't be imported: {file}:{BROKEN_MODULES[source]}"
    assert problem.startswith(f"optimizer._target_: {expected}")


def test_a_constructor_that_ends_the_process_is_one_problem(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "exiting_constructor.py"
    file.write_text(
        "import os\nclass Part:\n    def __init__(self, child=False):\n"
        "        if child and os.fork():\n            self.status = os.wait()[1]\n            return\n"
        "        os._exit(5)\n"
    )
    original, make = os._exit, Constructor(["exiting_constructor"])
    make({"_target_": "exiting_constructor.Part"}, "loss")
    (problem,) = map(str, make.problems)
    assert problem == f"loss: exiting_constructor.Part can't be instantiated: {file}:7: SystemExit: 5"
    made = make({"_target_": "exiting_constructor.Part", "child": True}, "loss")
    assert os.waitstatus_to_exitcode(made.status) == 5
    assert os._exit is original


def test_a_constructor_that_raises_anything_is_one_problem(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "raising_constructor.py"
    file.write_text("class Part:\n    def __init__(self):\n        [][3]\n")
    make = Constructor(["raising_constructor"])
    make({"_target_": "raising_constructor.Part"}, "loss")
    (problem,) = map(str, make.problems)
    where = f"{file}:3: IndexError: list index out of range"
    assert problem == f"loss: raising_constructor.Part can't be instantiated: {where}"
