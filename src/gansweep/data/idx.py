"""The file format of MNIST."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

UNSIGNED_BYTE = 8


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
        return gzip.decompress(path.read_bytes())
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} is damaged ({error}): replace it") from error


def decode(raw: bytes, path: Path) -> np.ndarray:
    """Decode an array of bytes: 0, 0, type, number of axes, their lengths (big endian), values.

    Raises:
        ValueError: it is no such file, or longer or shorter than it says.
    """
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] != UNSIGNED_BYTE or len(raw) < 4 + 4 * raw[3]:
        raise ValueError(f"{path} is not an idx file of bytes: replace it")
    num_axes = raw[3]
    shape = struct.unpack(f">{num_axes}I", raw[4 : 4 + 4 * num_axes])
    start = 4 + 4 * num_axes
    if len(raw) - start != math.prod(shape):
        raise ValueError(f"{path} is damaged: {len(raw) - start} values, its head says {math.prod(shape)}. Replace it")
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)
