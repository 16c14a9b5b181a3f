"""Seeds of one kind of randomness. Mistakes: another kind changes too, or nothing changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.training.small import make_run, member
from tests.training.test_resume import assert_equal_tree, member_of

from gansweep.sweep.identity import training_config
from gansweep.training.trainer import train

KINDS = ("init", "data", "noise")


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_changes_the_streams_of_its_kind_only(kind):
    names = {"init": "init/generator", "data": "order", "noise": "latents"}
    before, after = (
        replace(member(), seed=3, **more).streams(torch.device("cpu")) for more in ({}, {f"seed_{kind}": 7})
    )
    changed = {name for name, stream in names.items() if before.key(stream) != after.key(stream)}
    assert changed == {kind}


@pytest.mark.parametrize("kind", KINDS)
def test_the_member_s_seed_is_the_default(kind, tmp_path):
    run = make_run(4)
    explicit = replace(run, member=replace(run.member, **{f"seed_{kind}": run.member.seed}))
    other = replace(run, member=replace(run.member, **{f"seed_{kind}": run.member.seed + 1}))
    for name, one in (("a", run), ("b", explicit), ("c", other)):
        train(one, tmp_path / name)
    assert_equal_tree(member_of(tmp_path / "a"), member_of(tmp_path / "b"))
    with pytest.raises(AssertionError):
        assert_equal_tree(member_of(tmp_path / "a"), member_of(tmp_path / "c"))


def test_all_three_seeds_make_another_training_with_the_same_evaluation(tmp_path):
    run = make_run(4)
    other = replace(run, member=replace(run.member, seed_init=9, seed_data=9, seed_noise=9))
    ninth = replace(run, member=replace(run.member, seed=9))
    for name, one in (("a", other), ("b", ninth)):
        train(one, tmp_path / name)
    assert_equal_tree(member_of(tmp_path / "a"), member_of(tmp_path / "b"))


def test_unset_seeds_are_not_part_of_the_identity():
    unset = {f"seed_{kind}": None for kind in KINDS}
    assert training_config({"seed": 0} | unset) == training_config({"seed": 0})
    assert training_config({"seed": 0, "seed_init": 0}) != training_config({"seed": 0})
