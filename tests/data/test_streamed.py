"""Images read in batches have the bits of those in memory, in the background as well, and through a training."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from tests.config.test_build_conf import composed
from tests.training.small import make_run, small_mlp

from gansweep.config.build import check
from gansweep.data import npz as npz_module
from gansweep.data.image_folder import ImageFolder
from gansweep.data.npz import Npz
from gansweep.data.streamed import Streamed
from gansweep.metrics.features import features_of
from gansweep.metrics.frechet import FrechetDistance
from gansweep.metrics.thumbnail_features import ThumbnailFeatures
from gansweep.sweep.identity import digest, training_config
from gansweep.training.trainer import train

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 9, 9, 3), dtype=np.uint8)


def written(tmp_path):
    np.savez(tmp_path / "images.npz", labels=np.arange(40) % 2, images=PIXELS)
    return str(tmp_path / "images.npz")


def folder(tmp_path):
    for n, pixels in enumerate(PIXELS):
        (tmp_path / f"class{n % 2}").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / f"class{n % 2}" / f"{n:02}.png")
    sixteen = (PIXELS[0, ..., 0].astype(np.uint16) << 8) + 77
    Image.fromarray(sixteen).save(tmp_path / "class0" / "deep.png")
    return str(tmp_path)


DATA = [
    lambda path, **settings: Npz(written(path), **settings),
    lambda path, **settings: ImageFolder(folder(path), **settings),
]


@pytest.mark.parametrize("data", DATA, ids=["npz", "image_folder"])
@pytest.mark.parametrize("settings", [{"size": 9}, {"size": 6, "flip": True}, {"size": 9, "channels": 1}], ids=str)
def test_batches_and_hash_are_those_in_memory(data, settings, tmp_path):
    """Mistakes: a mirror image at another place, deep images scaled by batch, another hash."""
    if settings.get("channels") == 1 and data is DATA[0]:
        pytest.skip("the array has three channels")
    held, streamed = (data(tmp_path, in_memory=value, **settings) for value in (True, False))
    images = streamed.samples
    assert isinstance(images, Streamed)
    assert images.shape == held.samples.shape
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(1))
    index = torch.stack([order[:7], order[-7:]])
    assert torch.equal(images[index], held.samples[index])
    assert torch.equal(torch.cat(list(images.split(11))), held.samples)
    assert streamed.content_hash == held.content_hash
    assert torch.equal(streamed.labels, held.labels)
    network = ThumbnailFeatures()
    assert torch.equal(features_of(network, images), features_of(network, held.samples))


def test_the_next_batch_is_read_in_another_thread_and_another_one_at_once():
    threads = []

    def read(index):
        threads.append(threading.current_thread().name)
        return index.float().view(-1, 1, 1, 1)

    images = Streamed(read, (10, 1, 1, 1))
    images.prefetch(torch.tensor([[3, 1]]))
    assert images[torch.tensor([[3, 1]])].flatten().tolist() == [3, 1]
    assert threads == ["gansweep-data_0"]
    images.prefetch(torch.tensor([[3, 1]]))
    assert images[torch.tensor([[3, 2]])].flatten().tolist() == [3, 2]
    assert threads.count(threading.current_thread().name) == 1  # whichever thread is the first


def test_a_training_has_the_same_bits_and_reads_every_batch_but_the_first_ahead(tmp_path):
    """Mistake: looking at the next batch moves the stream, also over the end of an epoch and a resumption."""
    from gansweep.algorithms.adversarial import AdversarialPack
    from gansweep.batched.pack import PackSettings

    held, streamed = (Npz(written(tmp_path), size=9, in_memory=value) for value in (True, False))
    run, settings = make_run(9), PackSettings(batch_size=16)

    def pack_of(samples):
        members = [replace(run.member, seed=seed) for seed in (1, 2)]
        return AdversarialPack(members, small_mlp(), samples, settings, critic_steps=2)

    packs = [pack_of(held.samples), pack_of(streamed.samples), pack_of(streamed.samples)]
    for _ in packs[0].steps():
        pass
    for _, _ in zip(range(4), packs[1].steps(), strict=False):
        pass
    for k in range(2):
        packs[2].restore(k, packs[1].export(k))
    streamed.samples._pending = None
    at_once = []
    read = streamed.samples.read
    streamed.samples.read = lambda index: at_once.append(threading.current_thread().name) or read(index)
    for _ in packs[2].steps():
        pass
    for k in range(2):
        for player in ("generator", "discriminator"):
            assert torch.equal(packs[0].export(k)[player]["theta"], packs[2].export(k)[player]["theta"])
    assert at_once.count("gansweep-data_0") >= 9
    assert at_once.count(threading.current_thread().name) == 1


def test_large_data_are_streamed_by_themselves(tmp_path, monkeypatch):
    path = written(tmp_path)
    assert not Npz(path, size=9).is_streamed
    monkeypatch.setattr("gansweep.data.streamed.available_bytes", lambda: 8 * PIXELS.size - 1)
    assert Npz(path, size=9).is_streamed
    assert ImageFolder(folder(tmp_path), size=9).is_streamed
    assert not Npz(path, size=9, in_memory=True).is_streamed


def test_a_compressed_file_cannot_be_streamed(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "images.npz", images=PIXELS)
    with pytest.raises(ValueError, match="in_memory=false: .* is compressed or has no images; expected"):
        Npz(str(tmp_path / "images.npz"), size=9, in_memory=False).check()


def test_a_run_of_streamed_data_has_the_record_of_one_in_memory(tmp_path):
    metric, records = FrechetDistance(ThumbnailFeatures(), num_samples=16), []
    for value in (True, False):
        run = replace(make_run(4, metric=metric), data=Npz(written(tmp_path), size=9, in_memory=value))
        records.append(train(run, tmp_path / str(value))["metric"])
    assert records[0] == records[1]
    assert records[0]["final"] > 0


def test_the_setting_is_no_part_of_the_identity_and_other_algorithms_refuse_it(tmp_path):
    line = ["data=npz", f"data.path={written(tmp_path)}", "data.size=9", "metric=thumbnail", "metric.num_samples=20"]
    configs = [check(composed(*line, "batch_size=8", f"data.in_memory={value}")) for value in ("null", "false")]
    assert [one.problems for one in configs] == [[], []]
    assert digest(training_config(configs[0].config)) == digest(training_config(configs[1].config))
    problems = check(composed(*line, "batch_size=8", "data.in_memory=false", "algorithm=coopnets")).problems
    assert any(str(one).startswith("data.in_memory=False: this algorithm needs all") for one in problems), problems


def test_hash_in_parts_is_that_of_the_whole(tmp_path, monkeypatch):
    whole = Npz(written(tmp_path), size=9).content_hash
    monkeypatch.setattr(npz_module, "PART", 7)
    assert Npz(written(tmp_path), size=9).content_hash == whole
