"""Texture.

Mistakes: patches at wrong positions, rows and columns exchanged, equal hashes of different images.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from gansweep.data.texture import Texture


@pytest.fixture
def picture(tmp_path):
    """Write an image of 40 rows and 60 columns; red is the row, green the column."""
    rows, columns = np.mgrid[:40, :60]
    pixels = np.stack([rows, columns, 0 * rows], -1).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "ramp.png")
    return str(tmp_path / "ramp.png")


def corners_of(data):
    """Return the row and column of the corner of every patch, read from its pixels."""
    return ((data.samples[:, :2, 0, 0] + 1) * 127.5).round()


def test_patches_are_at_their_corners(picture):
    data = Texture(picture, size=8, num_patches=50)
    assert data.samples.shape == (50, 3, 8, 8)
    assert torch.equal(corners_of(data), data.corners().float())
    reds = ((data.samples[0, 0] + 1) * 127.5).round()
    assert torch.equal(reds[:, 0] - reds[0, 0], torch.arange(8.0))  # rows increase downwards
    assert corners_of(data).amax(0).tolist() <= [32, 52]
    assert corners_of(data)[:, 1].amax() > 32
    assert not torch.equal(corners_of(data)[:, 0], corners_of(data)[:, 1])


def test_diagonal_offsets_are_equal(picture):
    data = Texture(picture, size=8, num_patches=50, offsets="diagonal")
    assert torch.equal(corners_of(data)[:, 0], corners_of(data)[:, 1])
    assert corners_of(data).unique().numel() > 10


def test_positions_depend_only_on_the_seed(picture):
    one, same, other = (Texture(picture, size=8, num_patches=20, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one.samples, same.samples)
    assert one.content_hash == same.content_hash
    assert not torch.equal(one.samples, other.samples)
    assert one.content_hash != other.content_hash


def test_hash_does_not_depend_on_the_path(picture, tmp_path):
    Image.open(picture).save(tmp_path / "copy.bmp")
    assert Texture(picture, size=8).content_hash == Texture(str(tmp_path / "copy.bmp"), size=8).content_hash
    assert Texture(picture, size=8).content_hash != Texture(picture, size=8, resize=0.5).content_hash


def test_resizing_precedes_cropping(picture):
    assert Texture(picture, size=8, resize=0.5).corners().amax(0).tolist() <= [12, 22]
    with pytest.raises(ValueError, match="size=8: the picture has 12 x 8 pixels|size=9"):
        Texture(picture, size=9, resize=0.2).check()


def test_default_image_of_scikit_learn():
    data = Texture(num_patches=3)
    assert data.samples.shape == (3, 3, 32, 32)
    assert data.samples.std() > 0.1


def test_invalid_settings(picture, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"data=texture: no picture at .*nothing\.png"):
        Texture(str(tmp_path / "nothing.png")).check()
    with pytest.raises(ValueError, match="offsets=row: expected free or diagonal"):
        Texture(offsets="row")
    for name in ("num_patches", "resize", "size"):
        with pytest.raises(ValueError, match=f"{name}=0: expected"):
            Texture(**{name: 0})
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(ValueError, match=r"path=.*text\.png: .*text\.png can't be read"):
        Texture(str(tmp_path / "text.png")).check()
