"""MNIST: search, decoding and validation of its files."""

from __future__ import annotations

import gzip
import shutil
import struct

import numpy as np
import pytest
import torch

from gansweep.data.fashion_mnist import FashionMNIST
from gansweep.data.mnist import MNIST
from gansweep.labels import labels_of

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
PIXELS[0, 0, :2] = 0, 255


def encode(pixels):
    return (
        struct.pack(">BBBB", 0, 0, 8, pixels.ndim) + struct.pack(f">{pixels.ndim}I", *pixels.shape) + pixels.tobytes()
    )


@pytest.fixture
def root(tmp_path):
    """Write five training images, compressed, and three test images, uncompressed."""
    for folder in ("MNIST", "FashionMNIST"):
        raw = tmp_path / folder / "raw"
        raw.mkdir(parents=True)
        (raw / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(encode(PIXELS)))
        (raw / "t10k-images-idx3-ubyte").write_bytes(encode(255 - PIXELS[:3]))
    return tmp_path


def train_file(root):
    return root / "MNIST" / "raw" / "train-images-idx3-ubyte.gz"


@pytest.mark.parametrize("kind", [MNIST, FashionMNIST])
def test_bytes_are_mapped_exactly_to_the_range(kind, root):
    train, test = kind(str(root)), kind(str(root), split="test")
    expected = torch.from_numpy(PIXELS).double()[:, None] / 127.5 - 1
    torch.testing.assert_close(train.samples.double(), expected, rtol=0, atol=1e-6)
    assert train.samples[0, 0, 0, :2].tolist() == [-1, 1]
    torch.testing.assert_close(test.samples.double(), -expected[:3], rtol=0, atol=1e-6)


def test_reading_agrees_with_torchvision(root):
    from torchvision.datasets.mnist import read_image_file

    raw = root / "MNIST" / "raw" / "t10k-images-idx3-ubyte"
    theirs = read_image_file(str(raw)).float() / 255 * 2 - 1
    torch.testing.assert_close(MNIST(str(root), split="test").samples[:, 0], theirs, rtol=0, atol=1e-6)


def test_hash_does_not_depend_on_compression(root):
    compressed = MNIST(str(root)).content_hash
    file = train_file(root)
    file.with_suffix("").write_bytes(gzip.decompress(file.read_bytes()))
    file.unlink()
    assert MNIST(str(root)).content_hash == compressed


def test_hash_depends_on_content_split_and_size_but_not_on_the_path(root, tmp_path_factory):
    original = MNIST(str(root)).content_hash
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(root / "MNIST", elsewhere / "MNIST")
    assert MNIST(str(elsewhere)).content_hash == original
    assert MNIST(str(root), download=True).content_hash == original
    others = {
        MNIST(str(root), split="test").content_hash,
        MNIST(str(root), size=32).content_hash,
        FashionMNIST(str(root)).content_hash,
    }
    changed = PIXELS.copy()
    changed[4, 27, 27] ^= 1
    train_file(elsewhere).write_bytes(gzip.compress(encode(changed)))
    others.add(MNIST(str(elsewhere)).content_hash)
    assert len(others | {original}) == 5


def test_root_may_be_the_folder_itself_but_not_that_of_another_data_set(root):
    assert len(MNIST(str(root / "MNIST")).samples) == 5
    with pytest.raises(FileNotFoundError):
        FashionMNIST(str(root / "MNIST")).check()


@pytest.mark.parametrize("kind", [MNIST, FashionMNIST])
def test_missing_file(kind, tmp_path):
    data = kind(str(tmp_path))
    assert data.sample_shape == (1, 28, 28)
    expected = rf"train-images-idx3-ubyte.gz in {tmp_path}/{kind.folder}/raw.*data.root=.*data.download=true"
    for ask in (data.check, lambda: data.samples, lambda: data.content_hash):
        with pytest.raises(FileNotFoundError, match=expected):
            ask()


@pytest.mark.parametrize("kind", [MNIST, FashionMNIST])
def test_failed_download(kind, tmp_path, monkeypatch):
    def offline(*args, **kwargs):
        raise RuntimeError("Error downloading")

    monkeypatch.setattr(f"torchvision.datasets.{kind.__name__}.download", offline)
    with pytest.raises(FileNotFoundError, match=rf"Error downloading.*train-images-idx3-ubyte.gz into {tmp_path}"):
        kind(str(tmp_path), download=True).check()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda file: file[: len(file) // 2], "damaged"),
        (lambda file: b"", "not an idx file|damaged"),
        (lambda file: b"<html>404</html>", "damaged"),
        (lambda file: file[:60] + bytes([file[60] ^ 255]) + file[61:], "damaged"),
        (lambda file: gzip.compress(gzip.decompress(file)[:-1]), "3919 values, its header declares 3920"),
        (lambda file: gzip.compress(gzip.decompress(file) + b"0"), "3921 values, its header declares 3920"),
        (lambda file: gzip.compress(b"\0\0\x0d\3" + gzip.decompress(file)[4:]), "not an idx file"),
        (lambda file: gzip.compress(encode(PIXELS.reshape(5, -1))), r"shape \(5, 784\)"),
        (lambda file: gzip.compress(encode(PIXELS[:0])), r"shape \[0, 28, 28\]"),
        (lambda file: gzip.compress(encode(PIXELS[:, :0, :0])), r"shape \[5, 0, 0\]"),
        (lambda file: gzip.compress(b"\0\0\x08\xff" + b"\0\0\0\1" * 255 + b"0"), "expected images"),
    ],
    ids=[
        "cut off",
        "empty",
        "a web page",
        "one byte",
        "one value short",
        "one too many",
        "floats",
        "flat",
        "none",
        "no pixels",
        "255 axes",
    ],
)
def test_damaged_file(root, damage, reason):
    file = train_file(root)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ValueError, match=reason) as caught:
        len(MNIST(str(root)).samples)
    assert str(file) in str(caught.value)


def test_resized_images_stay_in_range(root):
    data = MNIST(str(root), size=32)
    assert data.samples.shape == (5, 1, 32, 32)
    assert data.samples.abs().max() <= 1


def test_flip_appends_mirror_images(root):
    plain, flipped = FashionMNIST(str(root)), FashionMNIST(str(root), flip=True)
    assert torch.equal(flipped.samples[:5], plain.samples)
    assert torch.equal(flipped.samples[5:], plain.samples.flip(3))
    assert plain.content_hash != flipped.content_hash


@pytest.mark.parametrize("wrong", [{"split": "val"}, {"size": 0}], ids=str)
def test_settings_out_of_range(wrong):
    with pytest.raises(ValueError, match=rf"{next(iter(wrong))}="):
        MNIST(**wrong)


def test_labels_are_read_from_their_own_file(root):
    """Mistake: labels of the other split, mirror images without labels."""
    for folder in ("MNIST", "FashionMNIST"):
        raw = root / folder / "raw"
        (raw / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(encode(np.array([1, 0, 2, 1, 1], np.uint8))))
        (raw / "t10k-labels-idx1-ubyte").write_bytes(encode(np.array([0, 2, 1], np.uint8)))
    assert labels_of(MNIST(str(root))).tolist() == [1, 0, 2, 1, 1]
    assert labels_of(MNIST(str(root), split="test")).tolist() == [0, 2, 1]
    assert labels_of(FashionMNIST(str(root), flip=True)).tolist() == [1, 0, 2, 1, 1] * 2


def test_a_missing_file_of_labels_is_named(root):
    with pytest.raises(FileNotFoundError, match="no train-labels-idx1-ubyte.gz in .*MNIST"):
        labels_of(MNIST(str(root)))
