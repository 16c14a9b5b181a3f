"""Data files that a user may name, and kinds of damage."""

from __future__ import annotations

import gzip
import io
import os
import random
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from sweep_damage import BYTES

LINE = (
    *("model=mlp", "model.latent_dim=2", "model.generator_widths=[8]", "model.discriminator_widths=[8]", "~metric"),
    *("loss=standard", "batch_size=4", "steps=2", "device=cpu", "workers=1", "pack=1", "trainer.tensorboard=false"),
)


@dataclass(frozen=True)
class Data:
    """A damaged data set.

    Args:
        name: what is wrong.
        settings: what is typed.
        make: writes the files into a directory.
        words: what the message has to hold.
    """

    name: str
    settings: Sequence[str]
    make: Callable[[Path], None]
    words: str

    def __str__(self) -> str:
        return self.name


def bad_data() -> Iterator[Data]:
    """List data sets that must be refused."""
    yield from _archives()
    yield from _folders()
    yield from _idx()
    yield from _others()


def npz(**arrays: np.ndarray) -> bytes:
    """Return an .npz archive of arrays."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def images(*shape: int, kind: type = np.uint8) -> np.ndarray:
    """Return random pixels."""
    return np.random.default_rng(0).integers(0, 256, shape).astype(kind)


def _archives() -> Iterator[Data]:
    line = ("data=npz", "data.path=d.npz", "data.size=8")
    good = npz(images=images(8, 8, 8, 3))

    def case(name: str, content: bytes, words: str = "d.npz") -> Data:
        return Data(f"npz: {name}", line, lambda here: _write(here / "d.npz", content), words)

    for kind, damage in BYTES.items():
        if kind not in ("doubled", "not UTF-8", "of the future"):  # their archive is valid

            def make(here: Path, damage: Callable[[Path], None] = damage) -> None:
                _write(here / "d.npz", good)
                damage(here / "d.npz")

            yield Data(f"npz: {kind}", line, make, "d.npz")
    yield case("no such key", npz(other=images(8, 8, 8, 3)))
    yield case("no array", npz())
    yield case("floats", npz(images=images(8, 8, 8, 3, kind=np.float32)))
    yield case("words", npz(images=np.array(["a", "b"])))
    yield case("objects", npz(images=np.array([{}, []], dtype=object)))
    yield case("one number", npz(images=np.uint8(3)))
    yield case("one axis", npz(images=images(8)))
    yield case("five axes", npz(images=images(2, 2, 2, 2, 3)))
    yield case("no images", npz(images=images(0, 8, 8, 3)))
    yield case("oblong", npz(images=images(8, 8, 4, 3)))
    yield case("no pixels", npz(images=images(8, 0, 0, 3)))
    yield case("grey as colour", npz(images=images(8, 8, 8)))
    yield case("a million channels", npz(images=np.zeros((1, 1, 1, 1_000_000), np.uint8)))
    yield case("64 GB of zeros", _bomb(), "d.npz can't be read as an .npz (an array of shape")
    yield case("fewer than a batch", npz(images=images(3, 8, 8, 3)), "batch_size=4")


def _bomb() -> bytes:
    """Return an archive whose array declares 64 GB."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": "|u1", "fortran_order": False, "shape": (64, 2**14, 2**14, 3 + 1)}
    )
    return _zip("images.npy", head.getvalue() + bytes(10_000_000))


def _zip(name: str, content: bytes) -> bytes:
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, content)
    return buffer.getvalue()


def _folders() -> Iterator[Data]:
    line = ("data=image_folder", "data.root=d", "data.size=8")
    buffer = io.BytesIO()
    Image.fromarray(images(8, 8, 3)).save(buffer, "png")
    good = buffer.getvalue()

    def case(name: str, file: str, content: bytes | None, settings: Sequence[str] = ()) -> Data:
        def make(here: Path) -> None:
            (here / "d").mkdir()
            for n in range(8):
                _write(here / "d" / f"{n}.png", good)
            if content is not None:
                _write(here / "d" / file, content)

        return Data(f"pictures: {name}", (*line, *settings), make, file)

    for kind in ("empty", "cut in half", "random bytes", "zeros", "null", "one byte flipped"):

        def make(here: Path, damage: Callable[[Path], None] = BYTES[kind]) -> None:
            (here / "d").mkdir()
            for n in range(8):
                _write(here / "d" / f"{n}.png", good)
            damage(here / "d/3.png")

        yield Data(f"pictures: {kind}", line, make, "3.png")
    yield case("60,000 pixels wide", "wide.png", png(60_000, 60_000))
    yield case("2 billion pixels wide", "wide.png", png(2**31 - 1, 2**31 - 1))
    yield case("no pixel wide", "none.png", png(0, 0))
    yield case("text", "text.jpg", b"text")
    yield case("a page", "page.png", b"<html>not found</html>")
    yield case("PostScript", "script.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")
    yield case("crop is too large", "data.crop", None, ["data.crop=9"])
    yield Data("pictures: no folder", line, lambda here: None, "no pictures in d")
    yield Data("pictures: empty folder", line, lambda here: (here / "d").mkdir(), "no pictures in d")
    yield Data("pictures: a file", line, lambda here: _write(here / "d", b"text"), "no pictures in d")
    yield Data("pictures: a link to itself", line, lambda here: (here / "d").symlink_to("d"), "no pictures in d")

    def not_unicode(here: Path) -> None:
        (here / "d").mkdir()
        for n in range(8):
            _write(here / "d" / f"{n}.png", good)
        with Path(os.fsdecode(os.fsencode(here / "d") + b"/\xff.png")).open("wb") as file:
            file.write(b"not an image")

    yield Data("pictures: a name that is not UTF-8", line, not_unicode, ".png")


def png(width: int, height: int) -> bytes:
    """Return a grey PNG with the header of a given size and few pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def _idx() -> Iterator[Data]:
    name = "train-images-idx3-ubyte"
    head = struct.pack(">4B3I", 0, 0, 8, 3, 10, 28, 28)
    good = head + bytes(7840)

    def case(what: str, content: bytes, suffix: str = "") -> Data:
        return Data(
            f"idx: {what}",
            ("data=mnist",),
            lambda here: _write(here / "data/MNIST/raw" / (name + suffix), content),
            name,
        )

    yield case("cut off", good[:-20])
    yield case("too long", good + b"x")
    yield case("empty", b"")
    yield case("head alone", head)
    yield case("another type", struct.pack(">4B3I", 0, 0, 13, 3, 10, 28, 28) + bytes(7840 * 4))
    yield case("two axes", struct.pack(">4B2I", 0, 0, 8, 2, 10, 784) + bytes(7840))
    yield case("no axes", struct.pack(">4B", 0, 0, 8, 0) + b"x")
    yield case("no images", struct.pack(">4B3I", 0, 0, 8, 3, 0, 28, 28))
    yield case("no pixels", struct.pack(">4B3I", 0, 0, 8, 3, 10, 0, 0))
    yield case("255 axes", struct.pack(">4B", 0, 0, 8, 255) + bytes(255 * 4))
    yield case("huge lengths", struct.pack(">4B3I", 0, 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1))
    yield case("random", random.Random(0).randbytes(4000))
    yield case("page", b"<html>not found</html>", ".gz")
    yield case("packed and cut off", gzip.compress(good)[:-20], ".gz")
    yield case("packed and changed", _flipped(gzip.compress(good)), ".gz")
    yield case("packed and empty", b"", ".gz")
    yield Data(
        "idx: a folder", ("data=mnist",), lambda here: (here / "data/MNIST/raw" / name).mkdir(parents=True), name
    )


def _others() -> Iterator[Data]:
    yield Data("cifar10: no folder", ("data=cifar10",), lambda here: None, "cifar-10-batches-py")
    batches = Path("data/cifar-10-batches-py")
    yield Data(
        "cifar10: empty folder",
        ("data=cifar10",),
        lambda here: (here / batches).mkdir(parents=True),
        "cifar-10-batches-py",
    )
    yield Data(
        "cifar10: a pickle",
        ("data=cifar10",),
        lambda here: _write(here / batches / "data_batch_1", b"cos\nsystem\n(S'touch pwned'\ntR."),
        "cifar-10-batches-py",
    )
    yield Data("celeba: no folder", ("data=celeba", "data.size=8"), lambda here: None, "celeba")
    for what, content in {"text": b"text", "cut off": png(64, 64)[:40], "wide": png(60_000, 60_000)}.items():
        yield Data(
            f"texture: {what}",
            ("data=texture", "data.path=t.png", "data.size=8"),
            lambda here, content=content: _write(here / "t.png", content),
            "t.png",
        )
    yield Data("texture: no file", ("data=texture", "data.path=t.png", "data.size=8"), lambda here: None, "t.png")
    yield Data(
        "texture: smaller than a patch",
        ("data=texture", "data.path=t.png", "data.size=32"),
        lambda here: Image.fromarray(images(8, 8, 3)).save(here / "t.png"),
        "size",
    )


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]
