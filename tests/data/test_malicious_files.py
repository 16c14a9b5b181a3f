"""Malicious and damaged files.

Mistakes: allocation of a declared size, loading of Python objects.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gansweep import npz_file
from gansweep.data.celeba import CelebA
from gansweep.data.cifar10 import CIFAR10
from gansweep.data.image_folder import ImageFolder
from gansweep.data.mnist import MNIST, decode_idx, read_idx
from gansweep.data.npz import Npz
from gansweep.data.texture import Texture
from gansweep.metrics.statistics import load_statistics


def archive(path, header, content=b"", name="images.npy"):
    """Write an .npz file with the given array header."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"fortran_order": False, "descr": "|u1"} | header)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, head.getvalue() + content)


def declared(path):
    archive(path, {"shape": (10**12, 32, 32, 3)}, bytes(100))


def overflowing(path):
    archive(path, {"shape": (2**62, 4, 1, 1)}, bytes(100))


def objects(path):
    np.savez(path, images=np.array([None, 1], object))


def text(path):
    path.write_text("no archive")


def cut(path):
    np.savez(path, images=np.zeros((4, 8, 8, 3), np.uint8))
    path.write_bytes(path.read_bytes()[:300])


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (declared, "takes 3072000000000000 bytes, the file has 100"),
        (overflowing, "takes 18446744073709551616 bytes, the file has 100"),
        (objects, "it holds Python objects, expected numbers"),
        (text, "not a zip file"),
        (cut, "not a zip file"),
    ],
)
def test_bad_archives_are_rejected_before_allocation(tmp_path, write, reason):
    path = tmp_path / "x.npz"
    write(path)
    for check in (Npz(str(path), size=32).check, lambda: len(Npz(str(path), size=32).samples)):
        with pytest.raises(ValueError, match=r"x\.npz can't be read as an \.npz \(") as error:
            check()
        assert reason in str(error.value)
        assert "allow_pickle" not in str(error.value)


def test_compressed_array_larger_than_memory(tmp_path, monkeypatch):
    path = tmp_path / "x.npz"
    np.savez_compressed(path, images=np.zeros((1000, 32, 32, 3), np.uint8), mu=np.zeros(10**6), sigma=np.zeros(1))
    assert path.stat().st_size < 30_000
    monkeypatch.setattr(npz_file, "available_bytes", lambda: 2_000_000)
    with pytest.raises(ValueError, match=r"an array of shape \(1000, 32, 32, 3\) takes .* GiB of memory"):
        Npz(str(path)).check()
    with pytest.raises(ValueError, match=r"an array of shape \(1000000,\) takes"):
        load_statistics(path)


def test_idx_file_is_decompressed_only_to_its_declared_size(tmp_path, monkeypatch):
    head = bytes([0, 0, 8, 3]) + np.array([2, 2, 2], ">u4").tobytes()
    path = tmp_path / "x-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(head + bytes(range(8))))
    assert read_idx(path) == head + bytes(range(8))
    path.write_bytes(gzip.compress(head + bytes(10**7)))
    assert len(read_idx(path)) == len(head) + 9
    with pytest.raises(ValueError, match="is damaged"):
        decode_idx(read_idx(path), path)
    path.write_bytes(gzip.compress(head[:4] + b"\xff" * 12 + bytes(10)))
    with pytest.raises(ValueError, match="do not fit in memory"):
        read_idx(path)


def test_paths_below_the_home_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "pics").mkdir()
    Image.new("RGB", (40, 40)).save(tmp_path / "pics" / "a.png")
    np.savez(tmp_path / "x.npz", images=np.zeros((2, 32, 32, 3), np.uint8))
    assert len(ImageFolder("~/pics", size=8).samples) == 1
    assert ImageFolder("~/pics", size=8).content_hash == ImageFolder(str(tmp_path / "pics"), size=8).content_hash
    assert len(Texture("~/pics/a.png", size=8, num_patches=3).samples) == 3
    assert len(Npz("~/x.npz").samples) == 2
    for data in (CelebA("~/d"), CIFAR10("~/d"), MNIST("~/d")):
        with pytest.raises(FileNotFoundError, match=str(Path(tmp_path) / "d")):
            data.check()
