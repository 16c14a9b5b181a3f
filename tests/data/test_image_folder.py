"""Image folders, and CelebA, a folder with a list of splits."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from gansweep.data.celeba import CelebA
from gansweep.data.image_folder import ImageFolder
from gansweep.labels import labels_of


def picture(path, height, width, seed=0, mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(path)
    return pixels


def test_images_of_all_subfolders_in_the_order_of_their_paths(tmp_path):
    b = picture(tmp_path / "b.png", 8, 8, 1)
    a = picture(tmp_path / "cats" / "a.PNG", 8, 8, 2)
    (tmp_path / "notes.txt").write_text("no picture")
    samples = ImageFolder(str(tmp_path), size=8).samples
    expected = torch.from_numpy(np.stack([b, a])).permute(0, 3, 1, 2).double() / 127.5 - 1
    torch.testing.assert_close(samples.double(), expected, rtol=0, atol=1e-6)


def test_central_crop(tmp_path):
    pixels = picture(tmp_path / "wide.png", 6, 10)
    for crop, part in ((None, pixels[:, 2:8]), (4, pixels[1:5, 3:7])):
        size = len(part)
        samples = ImageFolder(str(tmp_path), size=size, crop=crop).samples
        torch.testing.assert_close(samples[0], torch.from_numpy(part.copy()).permute(2, 0, 1) / 127.5 - 1)


def test_crop_larger_than_an_image(tmp_path):
    picture(tmp_path / "small.png", 6, 10)
    with pytest.raises(ValueError, match=r"small.png has 10 x 6 pixels, less than data.crop=8"):
        len(ImageFolder(str(tmp_path), crop=8).samples)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "1"])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_of_any_mode_are_converted_to_the_channels(tmp_path, mode, channels):
    path = tmp_path / "one.png"
    picture(path, 9, 9, mode="RGB")
    Image.open(path).convert(mode).save(path)
    data = ImageFolder(str(tmp_path), size=5, channels=channels)
    assert data.samples.shape == (1, *data.sample_shape) == (1, channels, 5, 5)
    assert data.samples.abs().max() <= 1


def test_downscaling_is_anti_aliased(tmp_path):
    """Without anti-aliasing, stripes of one pixel would become black or white."""
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2] = 255
    Image.fromarray(stripes).save(tmp_path / "stripes.png")
    assert ImageFolder(str(tmp_path), size=8).samples[..., 1:-1].abs().max() < 0.1


def test_hash_depends_on_bytes_names_and_settings(tmp_path):
    picture(tmp_path / "a.png", 8, 8)
    seen = [ImageFolder(str(tmp_path), **s).content_hash for s in ({}, {"size": 8}, {"crop": 4}, {"flip": True})]
    (tmp_path / "a.png").rename(tmp_path / "b.png")
    seen.append(ImageFolder(str(tmp_path)).content_hash)
    picture(tmp_path / "b.png", 8, 8, seed=1)
    seen.append(ImageFolder(str(tmp_path)).content_hash)
    assert len(set(seen)) == 6


@pytest.mark.parametrize("content", [b"", b"no picture at all", None], ids=["empty", "text", "cut off"])
def test_damaged_image(tmp_path, content):
    picture(tmp_path / "good.png", 8, 8)
    picture(tmp_path / "bad.png", 30, 30)
    raw = (tmp_path / "bad.png").read_bytes()
    (tmp_path / "bad.png").write_bytes(raw[: len(raw) // 2] if content is None else content)
    with pytest.raises(ValueError, match=r"bad.png can't be read as a picture"):
        len(ImageFolder(str(tmp_path), size=8).samples)


@pytest.mark.parametrize("made", [False, True])
def test_folder_without_images(tmp_path, made):
    root = tmp_path / "pictures"
    if made:
        root.mkdir()
    with pytest.raises(FileNotFoundError, match=rf"no pictures in {root}.*\.png"):
        ImageFolder(str(root)).check()


@pytest.fixture
def faces(tmp_path):
    """Write four images of CelebA's size: training, test, training, validation."""
    lines = []
    for n, split in enumerate([0, 2, 0, 1]):
        name = f"{n + 1:06}.jpg"
        picture(tmp_path / "celeba" / "img_align_celeba" / name, 218, 178, seed=n)
        lines.append(f"{name} {split}")
    (tmp_path / "celeba" / "list_eval_partition.txt").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_celeba_splits(faces):
    for split, count in (("train", 2), ("valid", 1), ("test", 1)):
        data = CelebA(str(faces), split=split, size=16)
        assert data.samples.shape == (count, 3, 16, 16)
    train = CelebA(str(faces), size=16).samples
    assert torch.equal(CelebA(str(faces), size=16, num_images=1).samples, train[:1])
    assert torch.equal(CelebA(str(faces), size=16, flip=True).samples, torch.cat([train, train.flip(3)]))


def test_celeba_hash(faces):
    settings = [{}, {"split": "test"}, {"num_images": 1}, {"crop": 108}, {"flip": True}]
    assert len({CelebA(str(faces), **changes).content_hash for changes in settings}) == 5


def test_celeba_with_missing_files(tmp_path, faces):
    with pytest.raises(FileNotFoundError, match=r"nowhere/celeba lacks img_align_celeba/ or list_eval_partition.txt"):
        CelebA(str(tmp_path / "nowhere")).check()
    (faces / "celeba" / "img_align_celeba" / "000003.jpg").unlink()
    CelebA(str(faces), split="test").check()
    with pytest.raises(FileNotFoundError, match=r"1 of 2 train images are missing, such as .*000003.jpg"):
        CelebA(str(faces)).check()


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (ImageFolder, {"size": 0}),
        (ImageFolder, {"crop": 0}),
        (ImageFolder, {"channels": 4}),
        (CelebA, {"split": "all"}),
        (CelebA, {"crop": 200}),
        (CelebA, {"num_images": 0}),
    ],
)
def test_settings_out_of_range(kind, wrong):
    with pytest.raises(ValueError, match=rf"{next(iter(wrong))}="):
        kind(**wrong)


def test_labels_are_the_subfolders_in_alphabetical_order(tmp_path):
    """Mistake: the innermost folder, or the order of the file system."""
    for n, name in enumerate(("dogs/b.png", "cats/tabby/a.png", "birds/c.png", "cats/d.png")):
        picture(tmp_path / name, 8, 8, n)
    assert labels_of(ImageFolder(str(tmp_path), size=8)).tolist() == [0, 1, 1, 2]
    assert labels_of(ImageFolder(str(tmp_path), size=8, flip=True)).tolist() == [0, 1, 1, 2] * 2
    picture(tmp_path / "e.png", 8, 8)
    with pytest.raises(ValueError, match="an image_folder with a sub-folder for each class"):
        labels_of(ImageFolder(str(tmp_path), size=8))
