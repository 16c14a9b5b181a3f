"""Consistency of the declaration of settings."""

from __future__ import annotations

from dataclasses import fields

import pytest

from gansweep.config.build import GROUPS
from gansweep.config.keys import KEYS, OUTSIDE_IDENTITY, WHOLE_SWEEP, shared_in_pack
from gansweep.config.root import Root, out_of_range, steps_of
from gansweep.training.run import TrainerSettings


def test_every_key_is_declared_once_and_exists():
    names = [key.name for key in KEYS]
    assert len(set(names)) == len(names)
    root = {field.name for field in fields(Root)} | {*GROUPS, "logger", "experiment", "protocol", "scale", "hydra"}
    assert {name for name in names if "." not in name} <= root
    trainer = {field.name for field in fields(TrainerSettings)} | {"progress"}
    assert {name.partition(".")[2] for name in names if name.startswith("trainer.")} <= trainer


def test_an_instruction_for_the_sweep_is_no_part_of_a_training():
    assert set(WHOLE_SWEEP) <= OUTSIDE_IDENTITY


def test_members_of_a_pack_agree_in_what_is_shared_and_not_in_what_is_their_own():
    config = {"algorithm": {"eta": 1, "num": 2}, "data": {"root": "a"}, "trainer": {"ema": 1, "compile": True}, "lr": 1}
    shared = shared_in_pack(config)
    assert shared["algorithm"] == {"num": 2}
    assert shared["data"] == {"root": "a"}
    assert shared["compile"] is True
    assert not {"lr", "ema", "seed", "steps"} & shared.keys()
    assert shared_in_pack(config | {"schedule_critic": {}, "steps": 5}).get("steps") is None
    assert shared_in_pack(config | {"schedule_critic": {"end": 1}, "steps": 5})["steps"] == 5


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("lr", [0.0, -1.0, float("nan"), float("inf")]),
        ("lr_d", [0.0, float("nan")]),
        ("seed", [-1]),
        ("steps", [0, -5]),
        ("batch_size", [0]),
        ("epochs", [0]),
        ("critic_steps", [0]),
        ("threads", [0]),
        ("device", ["gpu", "cuda:", "cuda:x", "CPU"]),
        ("name", ["", "/etc", "a/../../b", "a/b", ".", "..", "a\0"]),
    ],
)
def test_values_out_of_range_are_reported(key, values):
    for value in values:
        (problem,) = out_of_range({key: value})
        assert str(problem).startswith(f"{key}={value}: expected")


def test_values_in_range_are_not_reported():
    fine = {"lr": 1e-9, "seed": 0, "steps": 1, "epochs": None, "device": "cuda:12", "name": "a b ü"}
    assert list(out_of_range(fine)) == []


def test_an_epoch_ends_with_its_last_sample():
    assert steps_of(3, 100, 10) == 30
    assert steps_of(3, 101, 10) == 33
