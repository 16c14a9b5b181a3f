"""IDX, the file format of MNIST."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from gansweep.memory import available_bytes

UNSIGNED_BYTE = 8
MOST_AXES = 4  # maximum number of axes; images (N, H, W) have 3


def find(path: Path) -> Path | None:
    """Return `path` if it exists, otherwise `path`.gz if that exists, otherwise None."""
    for candidate in (path, path.with_name(f"{path.name}.gz")):
        if candidate.is_file():
            return candidate
    return None


def content(path: Path) -> bytes:
    """Return the bytes of a file, decompressed if its name ends in .gz.

    Raises:
        ValueError: the compressed stream is truncated or damaged, or too large for memory.
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
            return head + file.read(declared + 1)  # one more byte, to detect a file longer than its header declares
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} is damaged ({error}): replace it") from error


def decode(raw: bytes, path: Path) -> np.ndarray:
    """Return the uint8 array of an IDX file: 0, 0, type, number of axes, their lengths (big endian), values.

    Raises:
        ValueError: the file is not an IDX file of bytes, or its size differs from its header.
    """
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] != UNSIGNED_BYTE or len(raw) < 4 + 4 * raw[3]:
        raise ValueError(f"{path} is not an idx file of bytes: replace it")
    shape = _shape(raw)
    if len(shape) > MOST_AXES or 0 in shape:
        raise ValueError(f"{path} holds an array of shape {list(shape)}, expected images (N, H, W): replace it")
    start = 4 + 4 * len(shape)
    if len(raw) - start != math.prod(shape):
        raise ValueError(
            f"{path} is damaged: {len(raw) - start} values, its header declares {math.prod(shape)}. Replace it"
        )
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)


def _shape(raw: bytes) -> tuple[int, ...]:
    """Return the lengths of the axes in the header, as many as the bytes contain."""
    num_axes = min(raw[3], (len(raw) - 4) // 4)
    return struct.unpack(f">{num_axes}I", raw[4 : 4 + 4 * num_axes])
