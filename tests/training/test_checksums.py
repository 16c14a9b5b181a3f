"""Checksums of checkpoints. Mistakes: an edited value that is not noticed, equal members with different checksums."""

from __future__ import annotations

import math

import pytest
import torch
from tests.training.small import make_run, member

from gansweep.training import checkpoint, kept
from gansweep.training.checksums import checksum
from gansweep.training.session import TrainingSession
from gansweep.training.trainer import Interrupted, train, train_together

STATE = {"step": 3, "theta": torch.arange(6.0).reshape(2, 3), "betas": [0.5, (1, None)], 0: {"nan": math.nan}}
OTHERS = {
    "a number": {"step": 4},
    "a number of another type": {"step": 3.0},
    "one bit of a tensor": {"theta": torch.nextafter(STATE["theta"], torch.full((), 9.0))},
    "another shape": {"theta": STATE["theta"].reshape(3, 2)},
    "another type of the same bytes": {"theta": STATE["theta"].view(torch.int32)},
    "a list for a tuple": {"betas": [0.5, [1, None]]},
    "another structure of the same items": {"betas": [0.5, (1,), None]},
    "a text for a number": {0: {"nan": "nan"}},
    "a further key": {"more": None},
}


@pytest.mark.parametrize("change", OTHERS)
def test_every_change_changes_the_checksum(change):
    assert checksum(STATE | OTHERS[change]) != checksum(STATE)


def test_layout_in_memory_and_order_of_keys_do_not_change_it():
    same = dict(reversed((STATE | {"theta": STATE["theta"].T.contiguous().T}).items()))
    assert not same["theta"].is_contiguous()
    assert checksum(same) == checksum(STATE)
    assert checksum(torch.empty(0)) != checksum(torch.empty(0, 1))
    assert checksum(torch.tensor(1.5, dtype=torch.bfloat16)) != checksum(torch.tensor(2.0, dtype=torch.bfloat16))


def test_the_record_holds_the_checksum_of_the_last_member_in_any_pack(tmp_path):
    runs = [make_run(8, member(seed, ema=ema)) for seed, ema in ((1, 0.9), (2, None))]
    sessions, together = [TrainingSession(run, tmp_path / name) for run, name in zip(runs, "ab", strict=True)], []
    train_together(sessions, ended=lambda session: together.append(session.finalize()))
    alone = [train(run, tmp_path / f"alone_{n}") for n, run in enumerate(runs)]
    for first, second, name in zip(together, alone, "ab", strict=True):
        assert first["checkpoint"] == second["checkpoint"]
        saved = torch.load(tmp_path / name / checkpoint.NAME, weights_only=True)
        assert first["checkpoint"] == {"step": 8, "member": checksum(saved["member"])}
    assert together[0]["checkpoint"] != together[1]["checkpoint"]


def edit(path, *keys, value):
    """Change one value of a file as a user would, and write it again."""
    content = torch.load(path, weights_only=True)
    node = content
    for key in keys[:-1]:
        node = node[key]
    node[keys[-1]] = value(node[keys[-1]])
    torch.save(content, path)


EDITS = {
    "member": (("member", "generator", "theta"), lambda theta: theta * 1.001),
    "evaluations": (("evaluations", 0, "value"), lambda value: value / 2),
    "wall_s": (("wall_s",), lambda seconds: seconds + 1),
}


@pytest.mark.parametrize("field", EDITS)
def test_a_run_does_not_resume_from_an_edited_checkpoint(field, tmp_path, caplog):
    run = make_run(8, tensorboard=False)
    asked = iter([False] * 6 + [True])
    with pytest.raises(Interrupted):
        train(run, tmp_path / "edited", stop=lambda: next(asked))
    path = tmp_path / "edited" / checkpoint.NAME
    edit(path, *EDITS[field][0], value=EDITS[field][1])
    record = train(run, tmp_path / "edited")
    assert f"{path} can't be used: it was edited: {field} can't be trusted" in caplog.text
    assert record["checkpoint"] == train(run, tmp_path / "straight")["checkpoint"]


def test_a_checkpoint_without_checksums_is_resumed(tmp_path, caplog):
    """Earlier versions wrote none."""
    run = make_run(8, tensorboard=False)
    asked = iter([False] * 6 + [True])
    with pytest.raises(Interrupted):
        train(run, tmp_path / "old", stop=lambda: next(asked))
    content = torch.load(tmp_path / "old" / checkpoint.NAME, weights_only=True)
    del content["sha256"]
    torch.save(content, tmp_path / "old" / checkpoint.NAME)
    caplog.set_level("INFO")
    record = train(run, tmp_path / "old")
    assert "continuing from step 7 of 8" in caplog.text
    assert record["checkpoint"] == train(run, tmp_path / "straight")["checkpoint"]


def test_a_run_that_only_lacks_its_record_has_the_checksum(tmp_path):
    run = make_run(8, tensorboard=False)
    record = train(run, tmp_path)
    (tmp_path / "record.json").unlink()
    assert train(run, tmp_path)["checkpoint"] == record["checkpoint"]


def test_kept_weights_have_checksums(tmp_path):
    train(make_run(4, keep="all"), tmp_path)
    path = kept.path_of(tmp_path, 4)
    assert checkpoint.read(path)["member"]["step"] == 4
    edit(path, "is_best", value=lambda is_best: not is_best)
    with pytest.raises(checkpoint.Unusable, match="it was edited: is_best can't be trusted"):
        checkpoint.read(path)
