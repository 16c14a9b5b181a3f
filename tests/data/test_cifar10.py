"""CIFAR-10, read by torchvision from a small imitation of its files."""

from __future__ import annotations

import hashlib
import pickle

import numpy as np
import pytest
import torch
from torchvision import datasets

from gansweep.data.cifar10 import CIFAR10
from gansweep.labels import labels_of

PIXELS = np.random.default_rng(0).integers(0, 256, (4, 3, 32, 32), dtype=np.uint8)


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Write three training images and one test image that torchvision accepts."""
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()

    def write(name, content):
        raw = pickle.dumps(content)
        (folder / name).write_bytes(raw)
        return hashlib.md5(raw).hexdigest()

    train = write("data_batch_1", {"data": PIXELS[:3].reshape(3, -1), "labels": [0, 1, 2]})
    test = write("test_batch", {"data": PIXELS[3:].reshape(1, -1), "labels": [3]})
    meta = write("batches.meta", {"label_names": ["a", "b", "c", "d"]})
    monkeypatch.setattr(datasets.CIFAR10, "train_list", [["data_batch_1", train]])
    monkeypatch.setattr(datasets.CIFAR10, "test_list", [["test_batch", test]])
    monkeypatch.setattr(datasets.CIFAR10, "meta", {"filename": "batches.meta", "key": "label_names", "md5": meta})
    return tmp_path


def test_pixels_keep_channel_row_and_column(root):
    for split, expected in (("train", PIXELS[:3]), ("test", PIXELS[3:])):
        samples = CIFAR10(str(root), split=split).samples.double()
        torch.testing.assert_close(samples, torch.from_numpy(expected).double() / 127.5 - 1, rtol=0, atol=1e-6)


def test_flip_size_and_hash(root):
    data = CIFAR10(str(root), size=16, flip=True)
    assert data.samples.shape == (6, 3, 16, 16)
    assert torch.equal(data.samples[3:], data.samples[:3].flip(3))
    assert labels_of(data).tolist() == [0, 1, 2, 0, 1, 2]
    settings = [{}, {"size": 16}, {"flip": True}, {"split": "test"}]
    assert len({CIFAR10(str(root), **changes).content_hash for changes in settings}) == 4


def test_missing_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=rf"cifar-10-python.tar.gz in {tmp_path}.*data.download=true"):
        CIFAR10(str(tmp_path)).check()


def test_file_with_another_checksum_is_not_unpickled(root):
    """Unpickling executes code."""

    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("was executed",))

    (root / "cifar-10-batches-py" / "data_batch_1").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ValueError, match="cifar-10-python.tar.gz"):
        len(CIFAR10(str(root)).samples)
