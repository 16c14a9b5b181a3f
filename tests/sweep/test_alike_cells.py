"""Which cells may be trained in one pack."""

from __future__ import annotations

import copy

import pytest
from fake_cells import cell

from gansweep.sweep.pack_executor import alike

WHOLE = {
    "seed": 0,
    "steps": 10,
    "model": {"_target_": "m", "width": 8},
    "data": {"_target_": "d"},
    "batch_size": 8,
    "critic_steps": 1,
    "device": "cpu",
    "precision": "fp32",
    "threads": 1,
    "lr": 1e-3,
    "optimizer": {"_target_": "o"},
    "loss": {"_target_": "l"},
    "schedule": {"_target_": "s"},
    "trainer": {"check_every": 25, "patience": 4, "compile": False, "ema": None, "eval_every": 250},
}


def changed(path, value):
    config = copy.deepcopy(WHOLE)
    node, *rest = path.split(".")
    if rest:
        config[node][rest[0]] = value
    else:
        config[node] = value
    return config


@pytest.mark.parametrize("key", ["seed", "steps", "lr", "optimizer", "loss", "schedule", "trainer.ema"])
def test_cells_that_differ_in_settings_of_members_share_a_pack(key, tmp_path):
    assert len(alike([cell(tmp_path, **WHOLE), cell(tmp_path, **changed(key, 7))])) == 1


@pytest.mark.parametrize(
    "key",
    [
        "model",
        "model.width",
        "data",
        "batch_size",
        "critic_steps",
        "schedule_critic",
        "device",
        "precision",
        "threads",
        "trainer.check_every",
        "trainer.patience",
        "trainer.compile",
    ],
)
def test_cells_that_differ_in_shared_settings_do_not_share_a_pack(key, tmp_path):
    assert len(alike([cell(tmp_path, **WHOLE), cell(tmp_path, **changed(key, 7))])) == 2


def test_cells_with_scheduled_critic_steps_need_equal_steps(tmp_path):
    """Their members have to be at the same point of the schedule."""
    scheduled = {**WHOLE, "schedule_critic": {"_target_": "a"}}
    assert len(alike([cell(tmp_path, **scheduled), cell(tmp_path, **(scheduled | {"steps": 7}))])) == 2
