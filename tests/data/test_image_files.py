"""Image files: values with more than 8 bits, unused contents, and files that cannot be read.

Mistakes: 16-bit values clipped to white; different values of the same image in a data set and in a
metric; files skipped without a message; a traceback or exhausted memory instead of an error that
names the file.
"""

from __future__ import annotations

import os
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits
from tests.config.test_build_conf import composed

from gansweep import image_files
from gansweep.config.build import check
from gansweep.config.checks import left_out
from gansweep.data.image_folder import ImageFolder
from gansweep.data.texture import Texture
from gansweep.metrics.__main__ import main, read_folder
from gansweep.metrics.classifier_features import ClassifierFeatures
from gansweep.metrics.frechet import FrechetDistance

DIGITS = (load_digits(return_X_y=True)[0][:40].reshape(-1, 8, 8) * 255 / 16).astype(np.uint8)


def folder(path, images, suffix="png"):
    path.mkdir()
    for n, image in enumerate(images):
        Image.fromarray(image).save(path / f"{n:03}.{suffix}")
    return path


@pytest.fixture
def copies(tmp_path):
    """Write the same digits in 8 bits, in 16 bits and as floats."""
    wide, floats = DIGITS.astype(np.uint16) * 257, DIGITS.astype(np.float32) / np.float32(255)
    return {
        "8 bits": folder(tmp_path / "8", DIGITS),
        "16 bits": folder(tmp_path / "16", wide),
        "16 bits, tiff": folder(tmp_path / "16t", wide, "tiff"),
        "16 bits, big endian": folder(tmp_path / "16b", wide.astype(">u2"), "tiff"),
        "floats": folder(tmp_path / "f", floats, "tif"),
    }


def pgm(path, values, most=65535):
    height, width = values.shape
    path.write_bytes(f"P5 {width} {height} {most}\n".encode() + values.astype(">u2").tobytes())


def test_files_with_more_bits_give_the_same_values_and_distance(copies, capsys):
    data = {name: ImageFolder(str(path), size=8, channels=1) for name, path in copies.items()}
    fake = data["8 bits"].samples.flip(2)[:20]
    metric = FrechetDistance(ClassifierFeatures("digits"), 20)
    plain = metric(data["8 bits"], fake)
    for name, each in data.items():
        assert torch.equal(each.samples, data["8 bits"].samples), name
        assert metric(each, fake) == plain
        assert torch.equal(
            torch.cat(list(read_folder(copies[name], "L", 50))), torch.cat(list(read_folder(copies["8 bits"], "L", 50)))
        )
    main([str(copies["8 bits"]), str(copies["16 bits"]), "--features", "digits", "--device", "cpu"])
    assert abs(float(capsys.readouterr().out.split()[1])) < 1e-6


def test_16_bit_values_are_not_rounded_to_8_bits(tmp_path):
    values = np.array([[0, 1], [32768, 65535]], np.uint16)
    expected = torch.from_numpy(values.astype(np.float64)) / 32767.5 - 1
    pgm(tmp_path / "a.pgm", values)
    Image.fromarray(values).save(tmp_path / "b.png")
    samples = ImageFolder(str(tmp_path), size=2).samples
    assert samples.shape == (2, 3, 2, 2)
    torch.testing.assert_close(samples.double(), expected.expand(2, 3, 2, 2), rtol=0, atol=1e-7)
    small = ImageFolder(str(tmp_path), size=1, channels=1).samples
    torch.testing.assert_close(small[0, 0, 0, 0].double(), expected.mean(), rtol=0, atol=1e-6)


def test_texture_of_a_16_bit_image(tmp_path):
    grey = np.arange(40 * 50, dtype=np.uint16).reshape(40, 50) % 256
    Image.fromarray(grey.astype(np.uint8)).save(tmp_path / "8.png")
    Image.fromarray(grey * 257).save(tmp_path / "16.png")
    plain, wide = (Texture(str(tmp_path / name), size=8, num_patches=9) for name in ("8.png", "16.png"))
    assert torch.equal(plain.samples, wide.samples)
    assert Texture(str(tmp_path / "16.png"), size=8, resize=0.5).samples.abs().max() <= 1


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.full((4, 4), 70000, np.int32), "its mode is I; expected 8 or 16 bits per channel"),
        (np.full((4, 4), 200, np.float32), r"its values are floats from 200 to 200; expected .* floats in \[0, 1\]"),
        (np.full((4, 4), np.nan, np.float32), "its values are floats from nan to nan"),
    ],
    ids=["32 bits", "floats to 255", "not finite"],
)
def test_values_without_a_nominal_range(tmp_path, values, reason):
    Image.fromarray(values).save(tmp_path / "x.tiff")
    for read in (
        lambda: ImageFolder(str(tmp_path), size=4).samples,
        lambda: Texture(str(tmp_path / "x.tiff"), size=2).check(),
        lambda: list(read_folder(tmp_path, "L", 4)),
    ):
        with pytest.raises(ValueError, match=rf"x\.tiff can't be read as a picture \({reason}"):
            read()


def test_hash_of_8_bit_folders_is_that_of_earlier_versions(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "a.pgm").write_bytes(b"P5 2 2 255\n" + bytes([0, 85, 170, 255]))
    (tmp_path / "b" / "c.PPM").write_bytes(b"P6 2 2 255\n" + bytes(range(12)))
    data = ImageFolder(str(tmp_path), size=4)
    assert data.content_hash == "42f73698685a458f567d872d6d896affb5cb2282a5ceacda4b2283c476485c5f"
    assert data.samples.double().sum() == pytest.approx(-45.741175532341)


def test_hash_of_folders_with_more_bits_differs_from_earlier_versions(copies, monkeypatch):
    path = str(copies["16 bits"])
    original = ImageFolder(path, size=8).content_hash
    monkeypatch.setattr("gansweep.data.image_folder.is_deep", lambda path: False)
    assert ImageFolder(path, size=8).content_hash != original


@pytest.fixture
def mixed(tmp_path):
    """Write one image of each kind with unused contents, and other files."""
    root, image = tmp_path / "mixed", Image.fromarray(DIGITS[0])
    folder(root, DIGITS[:2])
    (root / "inside").mkdir()
    image.save(root / "inside" / "in.png")
    (root / "link").symlink_to(folder(tmp_path / "elsewhere", DIGITS[:3]))
    (root / "notes.txt").write_text("")
    (root / "gone.png").symlink_to(tmp_path / "nowhere.png")
    image.save(root / "frames.png", save_all=True, append_images=[Image.fromarray(DIGITS[1])])
    exif = Image.Exif()
    exif[image_files.EXIF_ORIENTATION] = 6
    image.save(root / "turned.jpg", exif=exif)
    image.convert("RGBA").save(root / "clear.png")
    return root


def test_unused_contents_are_counted(mixed, capsys):
    checked = check(
        composed("data=image_folder", f"data.root={mixed}", "data.size=8", "data.channels=1", "batch_size=2")
    )
    assert not checked.problems
    assert len(checked.data.samples) == 6
    (line,) = left_out(checked.data)
    assert line.startswith("data=image_folder: ")
    expected = [
        "2 files are not read as images, such as gone.png",
        "1 images have an EXIF orientation, which is not applied, such as turned.jpg",
        "1 images have several frames, of which the first is read, such as frames.png",
        "1 images have transparency, which is dropped, such as clear.png",
        "1 symbolic links to folders are not followed, such as link",
    ]
    for part in expected:
        assert part in line
    main([str(mixed)] * 2 + ["--features", "digits", "--device", "cpu"])
    errors = capsys.readouterr().err
    for part in [*expected[:4], "2 folders are not entered, such as inside"]:
        assert part in errors
    assert left_out(ImageFolder(str(mixed.parent / "elsewhere"), size=8)) == []


def bomb(path):
    """Write a PNG whose header declares 60000 x 60000 pixels."""
    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    packed = [struct.pack(">I", len(c)) + n + c + struct.pack(">I", zlib.crc32(n + c)) for n, c in chunks]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(packed))


def test_too_large_image(tmp_path, capsys, monkeypatch):
    folder(tmp_path / "x", DIGITS[:3])
    bomb(tmp_path / "x" / "large.png")
    root = f"data.root={tmp_path / 'x'}"
    (problem,) = check(composed("data=image_folder", root, "data.channels=1", "batch_size=2")).problems
    assert problem.name == "data"
    assert "large.png can't be read as a picture (Image size (3600000000 pixels) exceeds limit" in str(problem)
    (problem,) = check(composed("data=texture", f"data.path={tmp_path / 'x' / 'large.png'}", "~metric")).problems
    assert problem.name == "data.path"
    assert main([str(tmp_path / "x")] * 2 + ["--features", "digits", "--device", "cpu"]) == 2
    assert "large.png can't be read" in capsys.readouterr().err
    (tmp_path / "x" / "large.png").unlink()
    monkeypatch.setattr(image_files, "available_bytes", lambda: 100)
    with pytest.raises(ValueError, match=r"000\.png can't be read as a picture \(8 x 8 pixels do not fit in memory\)"):
        len(ImageFolder(str(tmp_path / "x"), size=8).samples)


def test_file_name_that_is_not_utf8(tmp_path, capsys):
    folder(tmp_path / "x", DIGITS[:3])
    try:
        (tmp_path / "x" / "001.png").rename(tmp_path / "x" / os.fsdecode(b"caf\xe9.png"))
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    (problem,) = check(composed("data=image_folder", f"data.root={tmp_path / 'x'}", "batch_size=2")).problems
    str(problem).encode()
    assert r"caf\xe9.png: the name of the file is not UTF-8, rename it" in str(problem)
    assert main([str(tmp_path / "x")] * 2 + ["--features", "digits", "--device", "cpu"]) == 2
    assert r"caf\xe9.png" in capsys.readouterr().err


def test_postscript_is_not_executed(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")
    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", lambda *arguments, **options: pytest.fail("executed"))
    with pytest.raises(ValueError, match="a.png can't be read as a picture"):
        image_files.read_image(path, 3)
