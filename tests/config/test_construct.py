"""Nodes to objects, and every mistake in one go."""

from __future__ import annotations

from gansweep.config.instantiate import Broken, Constructor
from gansweep.losses.objective import Objective
from gansweep.losses.standard import Standard
from gansweep.optimizers.adam import Adam
from gansweep.penalties.r1 import R1

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


def test_all_mistakes_of_a_node_are_told_with_their_keys():
    told = problems_of({"_target_": ADAM, "betaz": [0, 1], "eps": "small", "amsgrad": 1}, "optimizer_d")
    assert told[0].startswith("optimizer_d.betaz=[0, 1]: unknown key; did you mean optimizer_d.betas?")
    assert told[1:] == [
        "optimizer_d.eps=small: expected a number",
        "optimizer_d.amsgrad=1: expected true or false",
    ]


def test_what_an_object_says_about_itself_is_told_with_its_key():
    penalties = {"r1": {"_target_": "gansweep.penalties.r1.R1", "weight": -1}}
    (told,) = problems_of(loss(penalties=penalties), "loss")
    assert told.startswith("loss.penalties.r1.weight=-1.0: ")


def test_a_required_value_that_is_missing_is_told():
    for node in ({"_target_": "gansweep.losses.objective.Objective"}, loss(game="???")):
        assert problems_of(node, "loss") == ["loss.game: must be given"]


def test_an_object_of_another_kind_is_told():
    (told,) = problems_of(loss(game={"_target_": ADAM}), "loss")
    assert told.startswith("loss.game=")
    assert told.endswith("expected a Game")


def test_hydras_own_words_mean_nothing_here():
    for word in ("_partial_", "_args_", "_convert_", "_recursive_"):
        (told,) = problems_of({"_target_": ADAM, word: True}, "optimizer")
        assert f"optimizer.{word}=true: unknown key" in told


def test_the_types_of_inherited_fields_are_looked_at():
    node = {"_target_": "gansweep.optimizers.lookahead.Lookahead", "of": {"_target_": ADAM}, "k": "often"}
    assert problems_of(node, "optimizer") == ["optimizer.k=often: expected a whole number"]


def test_everything_that_an_object_says_about_itself_is_told():
    node = {"_target_": ADAM, "betas": [0.5, 2.0], "eps": -1, "weight_decay": -2, "amsgrad": True}
    told = problems_of(node, "optimizer")
    assert [text.partition("=")[0] for text in told] == ["optimizer.betas", "optimizer.eps", "optimizer.weight_decay"]


def test_a_mistake_that_follows_from_leaving_another_out_is_not_told():
    """Without the momentum that is wrong, nesterov would be, too."""
    node = {"_target_": "gansweep.optimizers.sgd.SGD", "momentum": 1.5, "weight_decay": -1, "nesterov": True}
    told = problems_of(node, "optimizer")
    assert [text.partition("=")[0] for text in told] == ["optimizer.momentum", "optimizer.weight_decay"]
