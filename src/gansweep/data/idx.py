"""The file format of MNIST."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from gansweep.memory import available_bytes

UNSIGNED_BYTE = 8
MOST_AXES = 4  # images (N, H, W) have 3


def find(path: Path) -> Path | None:
    """Return `path` or, if there is only that, its compressed form `path`.gz."""
    for candidate in (path, path.with_name(f"{path.name}.gz")):
        if candidate.is_file():
            return candidate
    return None


def content(path: Path) -> bytes:
    """Read a file, decompressed if its name ends in .gz.

    Raises:
        ValueError: the compressed stream is cut off or damaged.
    """
    if path.suffix != ".gz":
        return path.read_bytes()
    try:
        with gzip.open(path) as file:
            head = file.read(4)
            head += file.read(4 * head[3]) if len(head) == 4 else b""
            declared = math.prod(_shape(head)) if len(head) > 4 else 0
            if declared > available_bytes():
                raise ValueError(f"{path} declares {declared} values, which do not fit in memory: replace it")
            return head + file.read(declared + 1)  # one more shows that the file is longer than it says
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} is damaged ({error}): replace it") from error


def decode(raw: bytes, path: Path) -> np.ndarray:
    """Decode an array of bytes: 0, 0, type, number of axes, their lengths (big endian), values.

    Raises:
        ValueError: it is no such file, or longer or shorter than it says.
    """
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] != UNSIGNED_BYTE or len(raw) < 4 + 4 * raw[3]:
        raise ValueError(f"{path} is not an idx file of bytes: replace it")
    shape = _shape(raw)
    if len(shape) > MOST_AXES or 0 in shape:
        raise ValueError(f"{path} holds an array of shape {list(shape)}, expected images (N, H, W): replace it")
    start = 4 + 4 * len(shape)
    if len(raw) - start != math.prod(shape):
        raise ValueError(f"{path} is damaged: {len(raw) - start} values, its head says {math.prod(shape)}. Replace it")
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)


def _shape(raw: bytes) -> tuple[int, ...]:
    """Return the lengths of the axes that a file begins with, as far as they are there."""
    num_axes = min(raw[3], (len(raw) - 4) // 4)
    return struct.unpack(f">{num_axes}I", raw[4 : 4 + 4 * num_axes])
