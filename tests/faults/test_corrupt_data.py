"""Damaged data are detected before training; repaired data are another identity."""

from __future__ import annotations

import gzip
import struct

import pytest
from fault_child import command
from PIL import Image

BASE = (
    "-m",
    "model.generator_widths=[8]",
    "model.discriminator_widths=[8]",
    "steps=2",
    "batch_size=4",
    "~metric",
    "lr=1e-3,1e-4",
    "name=s",
    "device=cpu",
    "workers=1",
    "pack=1",
    "trainer.tensorboard=false",
)


def digits(shade: int) -> bytes:
    return gzip.compress(struct.pack(">4B3I", 0, 0, 8, 3, 10, 28, 28) + bytes([shade]) * 7840)


@pytest.mark.slow
def test_a_truncated_packed_file(tmp_path):
    here = tmp_path / "here"
    raw = here / "data/MNIST/raw"
    raw.mkdir(parents=True)
    file = raw / "train-images-idx3-ubyte.gz"
    for content in (digits(3)[:-20], digits(3).replace(digits(3)[20:24], b"\0\0\0\0"), b"<html>not found</html>"):
        file.write_bytes(content)
        ended = command(here, "data=mnist", base=BASE)
        assert ended.code == 2, ended.text
        assert file.name in ended.text
        assert "replace it" in ended.text
        assert "Traceback" not in ended.text
        assert not (here / "outputs").exists()
    for trained, shade in enumerate((3, 4), 1):
        file.write_bytes(digits(shade))
        ended = command(here, "data=mnist", base=BASE)
        assert ended.code == 0, ended.text
        assert len(list((here / "outputs/s").glob("*/record.json"))) == 2 * trained


def test_a_truncated_image_in_a_folder_with_an_unusual_name(tmp_path):
    here = tmp_path / "here"
    folder = here / "Bilder \u2013 größe ж 図"
    folder.mkdir(parents=True)
    for n in range(6):
        Image.new("RGB", (16, 16), (40 * n, 0, 0)).save(folder / f"{n}.png")
    whole = (folder / "3.png").read_bytes()
    (folder / "3.png").write_bytes(whole[: len(whole) // 2])
    choice = ("data=image_folder", f"data.root='{folder.name}'", "data.size=8")
    ended = command(here, *choice, base=BASE)
    assert ended.code == 2, ended.text
    assert "3.png" in ended.text
    assert "Traceback" not in ended.text
    (folder / "3.png").write_bytes(whole)
    ended = command(here, *choice, base=BASE)
    assert ended.code == 0, ended.text
