"""One declaration of settings: what it must not contradict."""

from __future__ import annotations

from dataclasses import fields

from gansweep.config.keys import KEYS, SURROUNDINGS, WHOLE_SWEEP, shared_in_pack
from gansweep.config.normalise import GROUPS
from gansweep.config.root import Root
from gansweep.training.run import TrainerSettings


def test_every_key_is_declared_once_and_exists():
    names = [key.name for key in KEYS]
    assert len(set(names)) == len(names)
    root = {field.name for field in fields(Root)} | {*GROUPS, "experiment", "protocol", "scale", "hydra"}
    assert {name for name in names if "." not in name} <= root
    trainer = {field.name for field in fields(TrainerSettings)} | {"progress"}
    assert {name.partition(".")[2] for name in names if name.startswith("trainer.")} <= trainer


def test_an_instruction_for_the_sweep_is_no_part_of_a_training():
    assert set(WHOLE_SWEEP) <= SURROUNDINGS


def test_members_of_a_pack_agree_in_what_is_shared_and_not_in_what_is_their_own():
    config = {"algorithm": {"eta": 1, "num": 2}, "data": {"root": "a"}, "trainer": {"ema": 1, "compile": True}, "lr": 1}
    shared = shared_in_pack(config)
    assert shared["algorithm"] == {"num": 2}
    assert shared["data"] == {"root": "a"}
    assert shared["compile"] is True
    assert not {"lr", "ema", "seed", "steps"} & shared.keys()
    assert shared_in_pack(config | {"schedule_critic": {}, "steps": 5}).get("steps") is None
    assert shared_in_pack(config | {"schedule_critic": {"end": 1}, "steps": 5})["steps"] == 5
