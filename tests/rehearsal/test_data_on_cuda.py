"""The data set on the pretended device: one copy for all packs, large images as bytes."""

from __future__ import annotations

import gc
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.config.test_every_choice_trains import MLP
from tests.rehearsal.algorithms import CFG, DENOISING
from tests.rehearsal.device_memory import MEMORY
from tests.rehearsal.pretended import NAME, PretendedDevice
from tests.rehearsal.rehearsal import rehearse, run_on

from gansweep.data import on_device
from gansweep.data.streamed import Streamed
from gansweep.training.trainer import pack_of

pytestmark = pytest.mark.rehearsal
NUM_IMAGES, SIZE = 300, 28


@pytest.fixture(autouse=True)
def no_data_on_the_device(monkeypatch):
    monkeypatch.setattr(on_device, "_held", None)


@pytest.fixture
def images(tmp_path):
    """Return the settings of a data set of bytes."""
    pixels = np.random.default_rng(0).integers(0, 256, (NUM_IMAGES, SIZE, SIZE), dtype=np.uint8)
    np.savez(tmp_path / "images.npz", images=pixels)
    return ["data=npz", f"data.path={tmp_path / 'images.npz'}", f"data.size={SIZE}", "data.channels=1"]


def test_packs_share_one_copy_of_the_data(images):
    size = 4 * NUM_IMAGES * SIZE**2
    with PretendedDevice() as device:
        first = pack_of([run_on("cuda", *MLP, *images)])
        device.reset()
        second = pack_of([run_on("cuda", *MLP, *images, "seed=1")])
        assert device.upload_bytes < size / 10
        assert first.samples is second.samples
        other = pack_of([run_on("cuda", *MLP, "data=ring")])
        before = MEMORY.live
        del first, second
        gc.collect()
        assert MEMORY.live <= before - size  # not held any more, once no pack uses it
        assert len(other.samples) == len(other.samples.cpu())


def test_large_images_are_held_as_bytes_and_read_with_the_same_bits(images, monkeypatch):
    monkeypatch.setattr(on_device, "BYTES_ABOVE", 1000)
    with PretendedDevice():
        run = run_on("cuda", *MLP, *images)
        before = MEMORY.live
        samples = on_device.samples_on(torch.device(NAME, 0), run.data, run.algorithm)
        assert MEMORY.live - before < 1.1 * NUM_IMAGES * SIZE**2
        indices = torch.arange(NUM_IMAGES).view(2, -1)
        assert torch.equal(samples[indices.to(samples.device)].cpu(), run.data.samples[indices])


def test_other_images_are_held_as_float32(monkeypatch):
    monkeypatch.setattr(on_device, "BYTES_ABOVE", 1000)
    with PretendedDevice():
        run = run_on("cuda", *MLP, "data=digits")
        samples = on_device.samples_on(torch.device(NAME, 0), run.data, run.algorithm)
        assert torch.equal(samples.cpu(), run.data.samples)


@pytest.mark.parametrize("settings", [MLP, CFG, DENOISING], ids=["adversarial", "cfg", "denoising"])
def test_algorithms_train_on_bytes(settings, images, monkeypatch, tmp_path):
    monkeypatch.setattr(on_device, "BYTES_ABOVE", 1000)
    rehearse(tmp_path, *settings, *images, tolerance=1e-2)


def test_streamed_images(images, tmp_path):
    """A step waits for the indices of its batch and of the next one, for all members at once, and for nothing else."""
    rehearse(tmp_path, *MLP, *images, "data.in_memory=false", tolerance=1e-2)
    with PretendedDevice() as device:
        run = run_on("cuda", *MLP, *images, "data.in_memory=false", steps=12)
        assert isinstance(run.data.samples, Streamed)
        steps = pack_of([replace(run, member=replace(run.member, seed=seed)) for seed in (0, 1)]).steps()
        next(steps)
        device.reset()
        for _ in range(5):
            next(steps)
        assert device.waits.total() <= 2 * 5, device.waits
