from __future__ import annotations

from dataclasses import replace

import pytest
from fake_cells import cell

from gansweep.sweep.sweep_keys import order, swept_keys, value


def test_varied_keys_are_in_the_order_of_the_command_line(tmp_path):
    cells = [cell(tmp_path, optimizer=o, steps=10, lr=lr) for o in ("b", "a") for lr in (1, 2)]
    assert swept_keys(cells) == ["optimizer", "lr"]
    assert swept_keys(cells[:1]) == []


def test_equal_numbers_are_not_a_variation(tmp_path):
    assert swept_keys([cell(tmp_path, lr=1), cell(tmp_path, lr=1.0)]) == []


def test_without_an_override_the_value_is_that_of_the_config(tmp_path):
    cells = [cell(tmp_path, lr=1), cell(tmp_path, lr=1, seed=0), cell(tmp_path, lr=1, seed=1)]
    assert [value(one, "seed") for one in cells] == [0, 0, 1]
    assert swept_keys(cells[:2]) == []
    assert swept_keys(cells) == ["seed"]
    assert value(cells[0], "metric.num_samples") == 8
    assert value(cells[0], "metric") == value(cells[0], "nothing.here") == "default"


def test_a_kind_of_seed_that_is_not_set_is_the_seed(tmp_path):
    cells = [cell(tmp_path, seed=3), cell(tmp_path, seed=3, seed_init=None), cell(tmp_path, seed=3, seed_init=0)]
    assert [value(one, "seed_init") for one in cells] == [3, 3, 0]
    assert swept_keys(cells[:2]) == []


def test_an_override_takes_precedence_over_the_config(tmp_path):
    adam, sgd = (replace(cell(tmp_path), overrides={"optimizer": o}, config={"optimizer": {}}) for o in ("adam", "sgd"))
    assert value(adam, "optimizer") == "adam"
    assert swept_keys([adam, sgd]) == ["optimizer"]


def test_numbers_are_sorted_and_words_are_not():
    assert order([0.1, 1e-4, 1, 0.1]) == [1e-4, 0.1, 1]
    assert order(["sgd", "adam", "sgd"]) == ["sgd", "adam"]
    assert order([True, None, False]) == [True, None, False]


def test_files_edited_between_two_grids_are_varied_keys(tmp_path):
    def edited(slope, numerics="1"):
        one = cell(tmp_path, lr=1)
        config = one.config | {"model": {"slope": slope, "width": 8}}
        return replace(one, config=config, identity={"config": config, "numerics": numerics})

    assert swept_keys([edited(0.1), edited(0.2)]) == ["model.slope"]
    assert value(edited(0.2), "model.slope") == 0.2
    assert swept_keys([edited(0.1), edited(0.1, "2")]) == ["numerics"]
    assert value(edited(0.1, "2"), "numerics") == "2"


def with_identity(root, seed=0, data="a" * 64, overrides=None, **parts):
    """A cell of lr=1 whose identity has other parts than its config."""
    one = cell(root, lr=1, seed=seed)
    return replace(one, overrides=one.overrides | (overrides or {}), identity={**one.identity, "data": data, **parts})


@pytest.mark.parametrize("later_seeds", [(0, 1), (2, 3)], ids=["same seeds", "other seeds"])
def test_edited_data_is_a_varied_key_for_any_seeds(tmp_path, later_seeds):
    cells = [with_identity(tmp_path, seed) for seed in (0, 1)]
    cells += [with_identity(tmp_path, seed, data="b" * 64) for seed in later_seeds]
    assert swept_keys(cells) == ["seed", "data content"]
    assert [value(one, "data content") for one in cells] == ["aaaaaaaa"] * 2 + ["bbbbbbbb"] * 2


def test_every_part_of_the_identity_can_be_a_varied_key(tmp_path):
    released, edited = with_identity(tmp_path), with_identity(tmp_path, code={"my.gans": "c" * 64})
    assert swept_keys([released, edited]) == ["code.my.gans"]
    assert [value(one, "code.my.gans") for one in (released, edited)] == ["-", "cccccccc"]
    later = with_identity(tmp_path, code={"my.gans": "d" * 64})
    assert swept_keys([edited, later]) == ["code.my.gans"]
    assert value(later, "code.my.gans") == "dddddddd"
    threads = [with_identity(tmp_path, seed=n, threads=n + 1) for n in (1, 2)]
    assert swept_keys(threads) == ["seed", "threads"]


def test_versions_of_edited_code_are_the_first_key(tmp_path):
    def trained_with(optimizer, lr, **parts):
        one = cell(tmp_path, optimizer=optimizer, lr=lr)
        return replace(one, identity={**one.identity, **parts})

    cells = [trained_with("mine", lr, code={"my.gans": version * 64}) for lr in (1, 2) for version in "cd"]
    cells += [trained_with("adam", lr) for lr in (1, 2)]
    assert swept_keys(cells) == ["code.my.gans", "optimizer", "lr"]


def test_a_data_folder_is_a_varied_key_only_if_the_contents_differ(tmp_path):
    def folder(root, content, seed=0):
        return with_identity(tmp_path, seed, data=content * 64, overrides={"data.root": root})

    assert swept_keys([folder("A", "a"), folder("B", "b")]) == ["data.root"]
    assert swept_keys([folder("A", "a"), folder("B", "a", seed=1)]) == ["seed"]
    assert swept_keys([folder("A", "a"), folder("B", "b"), folder("A", "c")]) == ["data.root", "data content"]


def test_settings_outside_the_identity_are_no_varied_keys(tmp_path):
    one, other = (
        replace(cell(tmp_path, lr=1, seed=n), overrides={"lr": 1, "seed": n, "trainer.log_every": n, "device": str(n)})
        for n in (1, 2)
    )
    assert swept_keys([one, other]) == ["seed"]


def test_a_setting_interpolated_from_the_seed_is_no_varied_key(tmp_path):
    def following(seed):
        one = cell(tmp_path, seed=seed)
        config = one.config | {"model": {"seed": seed}}
        return replace(one, config=config, identity=one.identity | {"config": config})

    assert swept_keys([following(1), following(2)]) == ["seed"]


def test_a_part_that_is_missing_in_one_config_differs_by_its_settings(tmp_path):
    def with_feedback(**config):
        one = cell(tmp_path, lr=1)
        return replace(one, config=one.config | config, identity=one.identity | {"config": one.config | config})

    cells = [with_feedback(), with_feedback(feedback={"factor": 0.5})]
    assert swept_keys(cells) == ["feedback.factor"]
    assert [value(one, "feedback.factor") for one in cells] == ["default", 0.5]


def test_a_chosen_option_is_not_repeated_by_its_settings(tmp_path):
    adam, sgd = (
        replace(cell(tmp_path), overrides={"optimizer": o}, identity={"config": {"optimizer": {"of": o}}})
        for o in ("adam", "sgd")
    )
    assert swept_keys([adam, sgd]) == ["optimizer"]


def test_the_choices_of_an_experiment_are_represented_by_its_name(tmp_path):
    def made(experiment, loss, lr=1):
        said = {"experiment": experiment, "lr": lr, "loss": loss, "data": "ring"}
        return replace(cell(tmp_path), overrides=said, config={"loss": {}, "data": {}, "lr": lr})

    assert swept_keys([made("a", "r1"), made("b", "wgan")]) == ["experiment"]
    assert swept_keys([made("a", "r1"), made("b", "r1")]) == ["experiment"]
    typed_beside = [made(name, loss) for name in "ab" for loss in ("r1", "wgan")]
    assert swept_keys(typed_beside) == ["experiment", "loss"]
    assert swept_keys([made("a", "r1", 1), made("b", "wgan", 2)]) == ["experiment", "lr"]


def test_the_choices_of_protocol_and_scale_are_represented_by_their_names(tmp_path):
    def made(protocol, scale, loss, data):
        said = {"experiment": "a", "protocol": protocol, "scale": scale, "loss": loss, "data": data}
        return replace(cell(tmp_path), overrides=said, config={"loss": {}, "data": {}})

    both = [made("p", "small", "r1", "mnist"), made("q", "small", "gp", "mnist"), made("p", "smoke", "r1", "digits")]
    assert swept_keys(both) == ["protocol", "scale"]
    typed_beside = [*both, made("p", "small", "r1", "ring")]
    assert swept_keys(typed_beside) == ["protocol", "scale", "data"]


def test_the_discriminator_has_the_optimizer_of_the_generator_by_default(tmp_path):
    config = {"optimizer": {"momentum": 0}, "lr": 1}
    shared = replace(cell(tmp_path), overrides={"optimizer": "adam"}, config=config)
    own = replace(shared, overrides={"optimizer": "adam", "optimizer@optimizer_d": "sgd"})
    assert [value(one, "optimizer_d") for one in (shared, own)] == ["adam", "sgd"]
    assert value(replace(shared, overrides={}), "optimizer_d") == "default"
