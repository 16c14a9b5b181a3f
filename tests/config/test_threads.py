"""Threads. Mistakes: numbers that depend on torch's default number of threads, or then on the pack size."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import torch
from tests.config.test_build_conf import composed
from tests.config.test_every_choice_trains import NARROW, OF_DENOISING, choices

from gansweep.config import build
from gansweep.config import build as building
from gansweep.data.ring import Ring
from gansweep.device import cpu_threads
from gansweep.metrics import cache
from gansweep.training.session import TrainingSession
from gansweep.training.trainer import train_together

# Large enough that sums and products are divided among threads.
WIDE = ["batch_size=64", "data.num_samples=50000", "metric=wasserstein1", "metric.num_samples=64"]
IMAGES = ["batch_size=8", "data=digits", "~metric"]
MODELS = {
    "mlp": ["batch_size=64", "data=digits", "metric=digits", "metric.num_samples=100"],
    "mlp_2d": ["data=line", *WIDE],
    "mlp_ring": ["data=ring", *WIDE],
    "mlp_cfg": ["model.discriminator_of.base_width=8", *IMAGES],
    "dirac": ["data=point_mass", "batch_size=8", "~metric"],
    "coopnets": ["model.width=8", *IMAGES],
    "coopnets_dcgan": ["model.generator_of.width=8", "model.discriminator_of.base_width=8", *IMAGES],
    **{
        model: ["model.base_width=8", NARROW[1], *IMAGES]
        for model in ("dcgan", "dcgan_plain", "dcganx", "resnet", "resnet4")
    },
}
EVERY = ["device=cpu", "steps=2", "trainer.eval_every=2", "trainer.tensorboard=false", "lr=1e-2", "loss=standard"]


@pytest.fixture(autouse=True)
def threads_and_caches(tmp_path, monkeypatch):
    monkeypatch.setenv("GANSWEEP_CACHE", str(tmp_path / "cache"))
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
    cache.forget()


def trained(folder, model, seeds, threads, by_default):
    """Train members in one pack with empty caches, and return the final state of each."""
    build._datasets.clear()
    cache.forget()
    os.environ["GANSWEEP_CACHE"] = str(folder / "cache")
    torch.set_num_threads(by_default)
    overrides = [*EVERY, f"model={model}", *MODELS[model], f"threads={threads}"]
    runs = {seed: building.build(composed(*overrides, f"seed={seed}")) for seed in seeds}
    sessions = [TrainingSession(run, folder / str(seed)) for seed, run in runs.items()]
    records = []
    train_together(sessions, ended=lambda session: records.append(session.finalize()))
    found = []
    for seed in seeds:
        saved = torch.load(folder / str(seed) / "checkpoint.pt", weights_only=True)["member"]
        thetas = [saved[player]["theta"] for player in ("generator", "discriminator")]
        record = json.loads((folder / str(seed) / "record.json").read_text())
        found.append((thetas, record["metric"]))
    return found


def assert_equal(one, other):
    assert all(torch.equal(a, b) for a, b in zip(one[0], other[0], strict=True))
    assert one[1] == other[1]


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("model", choices("model", (*OF_DENOISING, "point")))
def test_numbers_depend_on_the_setting_and_neither_on_the_default_nor_on_the_pack(model, threads, tmp_path):
    alone = trained(tmp_path / "a", model, [0], threads, by_default=1)
    assert_equal(alone[0], trained(tmp_path / "b", model, [0], threads, by_default=3)[0])
    assert_equal(alone[0], trained(tmp_path / "c", model, [1, 0, 2], threads, by_default=2)[1])


@pytest.mark.slow
def test_numbers_do_not_depend_on_the_environment(tmp_path):
    values = []
    line = [*EVERY, "-m", "model=mlp_ring", *MODELS["mlp_ring"], "threads=2", "name=s"]
    for count in ("1", "3"):
        env = os.environ | {"OMP_NUM_THREADS": count, "MKL_NUM_THREADS": count, "GANSWEEP_CACHE": str(tmp_path / count)}
        folder = tmp_path / f"in{count}"
        folder.mkdir()
        subprocess.run([sys.executable, "-m", "gansweep", *line], cwd=folder, env=env, check=True)
        [path] = folder.glob("outputs/s/*/record.json")
        values.append((path.parent.name, json.loads(path.read_text())["metric"]))
    assert values[0] == values[1]


def test_samples_are_made_with_one_thread(monkeypatch):
    build._datasets.clear()
    seen = []
    draw = Ring.draw
    monkeypatch.setattr(Ring, "draw", lambda data, rng: seen.append(torch.get_num_threads()) or draw(data, rng))
    torch.set_num_threads(3)
    building.check(composed("data=ring", "model=mlp_ring", "threads=2", "~metric"))
    assert seen == [1]
    assert torch.get_num_threads() == 3


def test_values_of_several_threads_are_kept_apart():
    for threads in (1, 2):
        with cpu_threads(threads):
            assert cache.recall({"of": "x"}) is None
            cache.keep({"of": "x"}, {"value": threads})
    cache.forget()
    for threads in (1, 2):
        with cpu_threads(threads):
            found = cache.recall({"of": "x"})
            assert found is not None
            assert found["value"] == threads
