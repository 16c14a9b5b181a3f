"""Npz. Mistakes: channels read as rows, floats read as bytes, a hash that depends on the path."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gansweep.data.npz import Npz
from gansweep.labels import labels_of
from gansweep.sweep.identity import training_config

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)
PIXELS[0, 0, :2, 0] = 0, 255


def written(path, **arrays):
    np.savez(path, **arrays)
    return str(path)


def npz(path, **changes):
    return Npz(**({"path": str(path), "size": 8} | changes))


def test_both_layouts_give_the_same_images(tmp_path):
    last = npz(written(tmp_path / "a.npz", images=PIXELS, labels=np.arange(5)))
    first = npz(written(tmp_path / "b.npz", x=PIXELS.transpose(0, 3, 1, 2)), key="x")
    assert last.sample_shape == (3, 8, 8)
    assert last.samples[0, 0, 0, :2].tolist() == [-1, 1]
    torch.testing.assert_close(last.samples, torch.from_numpy(PIXELS).permute(0, 3, 1, 2) / 127.5 - 1)
    assert torch.equal(last.samples, first.samples)


def test_grey_images_without_a_channel_axis(tmp_path):
    grey = npz(written(tmp_path / "a.npz", images=PIXELS[..., 0]), channels=1)
    assert grey.samples.shape == (5, 1, 8, 8)
    assert torch.equal(grey.samples[:, 0], npz(written(tmp_path / "b.npz", images=PIXELS)).samples[:, 0])


def test_resizing_and_mirror_images(tmp_path):
    path = written(tmp_path / "a.npz", images=PIXELS)
    assert npz(path, size=4).samples.shape == (5, 3, 4, 4)
    both = npz(path, flip=True).samples
    assert torch.equal(both[5:], both[:5].flip(-1))


def test_hash_depends_on_pixels_but_not_on_path_and_compression(tmp_path):
    path = written(tmp_path / "a.npz", images=PIXELS)
    np.savez_compressed(tmp_path / "b.npz", images=PIXELS, labels=np.arange(5))
    assert npz(path).content_hash == npz(tmp_path / "b.npz").content_hash
    assert npz(path).content_hash != npz(path, flip=True).content_hash
    assert npz(path).content_hash != npz(written(tmp_path / "c.npz", images=255 - PIXELS)).content_hash
    configs = [{"data": {"path": where, "key": "images"}} for where in ("here", "there")]
    assert training_config(configs[0]) == training_config(configs[1])


@pytest.mark.parametrize(
    ("arrays", "changes", "message"),
    [
        ({"x": PIXELS, "y": PIXELS}, {}, "no data.key=images, expected one of x, y"),
        ({"images": PIXELS / 255}, {}, r"data.key=images as float64, expected bytes \(uint8\)"),
        ({"images": np.arange(5, dtype=np.uint8)}, {}, r"of shape \(5,\), expected \(N, H, W, C\) or"),
        ({"images": PIXELS}, {"channels": 1}, r"of shape \(5, 8, 8, 3\), .* with C = 1"),
        ({"images": PIXELS[..., 0]}, {}, r"of shape \(5, 8, 8\), .* C = 3"),
        ({"images": PIXELS[:, :6]}, {}, r"5 images of \(6, 8\) pixels, expected square ones"),
        ({"images": PIXELS[:0]}, {}, "0 images of"),
        ({"images": PIXELS[:, :0, :0]}, {}, r"5 images of \(0, 0\) pixels"),
        ({"images": np.array([{}], dtype=object)}, {}, "can't be read as an .npz"),
    ],
)
def test_array_without_images(arrays, changes, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        len(npz(written(tmp_path / "a.npz", **arrays), **changes).samples)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\3\4 cut off"])
def test_file_that_is_not_an_archive(content, tmp_path):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.npz can't be read as an \.npz"):
        len(npz(tmp_path / "a.npz").samples)


def test_settings_out_of_range():
    for changes, message in (({"channels": 2}, "channels=2"), ({"size": 0}, "size=0")):
        with pytest.raises(ValueError, match=message):
            npz("x.npz", **changes)


def test_labels_are_the_array_of_that_name(tmp_path):
    """Mistake: mirror images without labels, floats rounded to classes."""
    path = written(tmp_path / "a.npz", images=PIXELS, labels=np.array([2, 0, 1, 1, 0], np.uint8))
    assert labels_of(npz(path)).tolist() == [2, 0, 1, 1, 0]
    assert labels_of(npz(path, flip=True)).tolist() == [2, 0, 1, 1, 0] * 2


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "data=npz has no labels; expected .* an npz with an array `labels`"),
        (np.arange(5.0), "labels as float64 of shape .5,., expected whole numbers"),
        (np.arange(4), "labels are torch.int64 of shape .4,., expected one whole number for each of its 5 samples"),
        (np.array([0, 2, 2, 0, 2]), "labels from 0 to 2 with 2 different ones, expected 0, 1, 2, ... without a gap"),
    ],
    ids=str,
)
def test_unsuitable_labels_are_refused(labels, message, tmp_path):
    arrays = {} if labels is None else {"labels": labels}
    with pytest.raises(ValueError, match=message):
        labels_of(npz(written(tmp_path / "a.npz", images=PIXELS, **arrays)))


def test_an_npy_file_is_the_same_data_as_the_array_of_an_npz(tmp_path):
    pixels = np.random.default_rng(0).integers(256, size=(9, 6, 6, 3), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images=pixels)
    np.save(tmp_path / "a.npy", pixels)
    both = [Npz(path=str(tmp_path / name), size=4) for name in ("a.npz", "a.npy")]
    streamed = Npz(path=str(tmp_path / "a.npy"), size=4, in_memory=False)
    assert torch.equal(both[0].samples, both[1].samples)
    assert torch.equal(streamed.samples[torch.tensor([[8, 0]])], both[0].samples[torch.tensor([[8, 0]])])
    assert both[0].content_hash == both[1].content_hash == streamed.content_hash
    assert both[1].labels is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (np.array([{}], dtype=object), "it holds Python objects"),
        (b"\x93NUMPY\x01\x00", "can't be read as an .npy"),
        (b"PK\x03\x04", "can't be read as an .npy"),
        (None, r"takes 1944 bytes, the file has 1934"),
    ],
    ids=["objects", "header", "zip", "truncated"],
)
@pytest.mark.parametrize("in_memory", [True, False])
def test_a_damaged_npy_is_refused(tmp_path, content, words, in_memory):
    path = tmp_path / "a.npy"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.save(path, np.zeros((18, 6, 6, 3), np.uint8) if content is None else content, allow_pickle=True)
        if content is None:
            path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ValueError, match=words):
        Npz(path=str(path), size=6, in_memory=in_memory).check()
