"""A run that was stopped anywhere ends exactly like one that was not stopped."""

from __future__ import annotations

import io
import os
import shutil
import zipfile
from dataclasses import replace
from functools import partial

import pytest
import torch
from tests.training.small import Shapes, make_run, member, written

from gansweep.losses.objective import Objective
from gansweep.losses.relativistic_pairing import RelativisticPairing
from gansweep.losses.standard import Standard
from gansweep.losses.wasserstein import Wasserstein
from gansweep.models.dcgan import DCGAN
from gansweep.optimizers.rmsprop import RMSprop
from gansweep.optimizers.sgd import SGD
from gansweep.penalties.dragan import DRAGAN
from gansweep.penalties.roth_fake import RothFake
from gansweep.penalties.wgan_gp import WGANGP
from gansweep.schedules.cosine import Cosine
from gansweep.schedules.linspace import Linspace
from gansweep.training import checkpoint
from gansweep.training.record import Header
from gansweep.training.trainer import Interrupted, ResumeError, train

GP = Objective(Wasserstein(), {"gp": WGANGP(weight=10.0)})
ALL = Objective(RelativisticPairing(Standard()), {"dragan": DRAGAN(), "roth": RothFake()}, flip=0.2, instance_noise=0.1)
RUNS = {
    "adam_ema": make_run(one=member(1, ema=0.9)),
    "momentum_schedule": make_run(one=member(2, SGD(momentum=0.9), schedule=Cosine(), objective=GP)),
    "draws_and_schedules": make_run(
        one=member(
            4,
            objective=ALL,
            penalty_schedule=Linspace(),
            noise_schedule=Linspace(0.5, 0.0),
            ema=0.9,
            ema_schedule=Linspace(),
        )
    ),
    "batch_norm": make_run(
        one=member(3, RMSprop()), model=DCGAN(latent_dim=4, base_width=2, batch_norm_discriminator=True)
    ),
}


def timeless(record):
    return {key: value for key, value in record.items() if key != "time"}


def scalars(directory):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(directory), size_guidance={"scalars": 0, "images": 0})
    events.Reload()
    tags = events.Tags()
    return {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in tags["scalars"]} | {
        tag: [(e.step, e.encoded_image_string) for e in events.Images(tag)] for tag in tags["images"]
    }


def member_of(directory):
    return torch.load(directory / checkpoint.NAME, weights_only=True)["member"]


def assert_equal_tree(one, other):
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_equal_tree(one[key], other[key])
    elif isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    else:
        assert one == other


@pytest.mark.parametrize("name", [n for n in RUNS if n != "batch_norm"])
@pytest.mark.parametrize("stops", [[1], [7, 8], [5]])
def test_stopped_and_continued(name, stops, tmp_path):
    check_continued(RUNS[name], stops, tmp_path)


def test_running_statistics_are_continued(tmp_path):
    data = Shapes(sample_shape=(1, 8, 8))
    data.__dict__["samples"] = torch.rand(20, 1, 8, 8, generator=torch.Generator().manual_seed(2)) * 2 - 1
    check_continued(replace(RUNS["batch_norm"], data=data), [4], tmp_path)


def check_continued(run, stops, tmp_path):
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    expected, done = train(run, straight), 0
    for at in stops:
        answers = iter([False] * (at - done - 1) + [True])
        with pytest.raises(Interrupted) as interrupted:
            train(run, broken, stop=answers.__next__)
        assert interrupted.value.step == at
        done = at
    record = train(run, broken)
    assert timeless(record) == timeless(expected)
    assert timeless(written(broken)) == timeless(expected)
    assert_equal_tree(member_of(broken), member_of(straight))
    assert scalars(broken) == scalars(straight)
    for picture in (straight / "samples").iterdir():
        assert picture.read_bytes() == (broken / "samples" / picture.name).read_bytes()


def test_a_killed_run_continues_from_its_last_checkpoint(tmp_path):
    run = RUNS["adam_ema"]
    expected = train(run, tmp_path / "straight")

    class Killed(BaseException):
        pass

    def kill(step, total, text):
        if step == 9:
            raise Killed

    with pytest.raises(Killed):
        train(run, tmp_path / "killed", progress=kill)
    assert member_of(tmp_path / "killed")["step"] == 5
    assert timeless(train(run, tmp_path / "killed")) == timeless(expected)
    assert scalars(tmp_path / "killed") == scalars(tmp_path / "straight")


def test_a_checkpoint_of_another_config_is_refused_with_the_differences(tmp_path):
    run, header = make_run(), Header(identity={"config": {"steps": 12}})
    with pytest.raises(Interrupted):
        train(run, tmp_path, stop=lambda: True, header=header)
    with pytest.raises(ResumeError, match=r"config\.steps was 12 and is now 13"):
        train(run, tmp_path, header=replace(header, identity={"config": {"steps": 13}}))


def damaged(content: bytes, how: str) -> bytes:
    """Return a damaged checkpoint file; `how` changes its content or its bytes."""
    if how in ("truncated", "flipped", "empty"):
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]
        return {"truncated": content[:-200], "flipped": flipped, "empty": b""}[how]
    saved = torch.load(io.BytesIO(content), weights_only=True)
    file = io.BytesIO()
    if how == "empty pickle":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("archive/data.pkl", b"")
        return file.getvalue()
    del saved["sha256"]  # as of an earlier version, so that the changed field itself is found
    torch.save(CHANGES[how](saved), file)
    return file.getvalue()


def without(node: dict, *path: str) -> dict:
    first, *more = path
    return {
        key: without(value, *more) if key == first else value for key, value in node.items() if more or key != first
    }


CHANGES = {
    "a list": lambda saved: [1, 2],
    "code": lambda saved: saved | {"extra": Shapes()},
    "no identity": lambda saved: without(saved, "identity"),
    "identity that is no JSON": lambda saved: saved | {"identity": "{"},
    "no member": lambda saved: without(saved, "member"),
    "no parameters": lambda saved: without(saved, "member", "generator", "theta"),
    "no time": lambda saved: without(saved, "wall_s"),
    "time that is text": lambda saved: saved | {"wall_s": "long"},
    "evaluations without steps": lambda saved: saved | {"evaluations": [{}]},
    "step beyond the end": lambda saved: saved | {"member": saved["member"] | {"step": 13}},
    "parameters of another shape": lambda saved: (
        saved | {"member": saved["member"] | {"generator": saved["member"]["generator"] | {"theta": torch.zeros(1)}}}
    ),
    "parameters of another type": lambda saved: (
        saved | {"member": saved["member"] | {"generator": saved["member"]["generator"] | {"theta": [0.0]}}}
    ),
}


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "empty pickle", "folder", "pipe", *CHANGES])
@pytest.mark.parametrize("both", [False, True])
def test_a_damaged_checkpoint_is_renamed_and_the_previous_one_used(damage, both, tmp_path, caplog, half_trained):
    run, expected, kept = half_trained
    here = tmp_path / "damaged"
    shutil.copytree(kept, here)
    for name in (checkpoint.NAME, checkpoint.PREVIOUS)[: 1 + both]:
        path = here / name
        content = path.read_bytes()
        path.unlink()
        if damage == "folder":
            path.mkdir()
        elif damage == "pipe":
            os.mkfifo(path)
        else:
            path.write_bytes(damaged(content, damage))
    caplog.clear()
    record = train(run, here)
    assert timeless(record) == timeless(expected)
    assert_equal_tree(member_of(here), member_of(kept.with_name("straight")))
    for name in (checkpoint.NAME, checkpoint.PREVIOUS)[: 1 + both]:
        assert caplog.text.count(f"{here / name} can't be used") == 1
        assert os.path.lexists(here / f"{name}.unreadable")
    assert "weights_only" not in caplog.text


@pytest.fixture(scope="module")
def half_trained(tmp_path_factory):
    """Return a run stopped at step 7, with checkpoints of steps 6 and 7, and its record without the stop."""
    folder = tmp_path_factory.mktemp("half")
    run = make_run(steps=12, checkpoint_every=3, tensorboard=False)
    expected = train(run, folder / "straight")
    with pytest.raises(Interrupted):
        asked = iter([False] * 6 + [True])
        train(run, folder / "kept", stop=lambda: next(asked))
    return run, expected, folder / "kept"


def test_one_flipped_byte_is_detected_or_harmless(tmp_path, half_trained):
    run, _, kept = half_trained
    content = (kept / checkpoint.NAME).read_bytes()
    whole = checkpoint.load(kept, {}, partial(checkpoint.check_resumable, run))
    for place in range(0, len(content), max(len(content) // 60, 1)):
        here = tmp_path / str(place)
        here.mkdir()
        (here / checkpoint.NAME).write_bytes(content[:place] + bytes([content[place] ^ 0x41]) + content[place + 1 :])
        found = checkpoint.load(here, {}, partial(checkpoint.check_resumable, run))
        assert (found is None) == (here / f"{checkpoint.NAME}.unreadable").exists()
        if found is not None:
            assert_equal_tree(found, whole)


def test_out_of_memory_does_not_rename_the_checkpoint(tmp_path, half_trained):
    _, _, kept = half_trained
    shutil.copytree(kept, tmp_path / "here")

    def short(content):
        raise MemoryError

    with pytest.raises(MemoryError):
        checkpoint.load(tmp_path / "here", {}, short)
    assert (tmp_path / "here" / checkpoint.NAME).is_file()


def test_loading_a_checkpoint_executes_no_code(tmp_path):
    import pickle

    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "executed"), "w"))

    torch.save({"identity": Evil()}, tmp_path / checkpoint.NAME, pickle_module=pickle)
    assert checkpoint.load(tmp_path, {}) is None
    assert not (tmp_path / "executed").exists()


def test_a_full_disk_does_not_end_the_run(tmp_path, monkeypatch, caplog):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gansweep.training.checkpoint.save", full)
    assert train(make_run(), tmp_path)["state"] == "completed"
    assert "No space left on device" in caplog.text
