"""Safe reading of .npz and .npy files: executes no code, allocates no more than the memory."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from gansweep.memory import GIB, available_bytes

ERRORS = (
    OSError,
    ValueError,
    EOFError,
    AttributeError,
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    MemoryError,
)


def read_array(path: Path, name: str) -> np.ndarray:
    """Return the array `name` of a file written by `numpy.savez(path, name=...)`.

    The header is checked first, because numpy allocates any size that it declares.

    Raises:
        KeyError: the file has no such array; the argument is the list of its arrays.
        ValueError: the file is not an .npz, is damaged, contains Python objects, or does not fit in memory.
    """
    with _readable(path, "npz"), zipfile.ZipFile(path) as archive:
        names = [member.removesuffix(".npy") for member in archive.namelist()]
        if name not in names:
            raise KeyError(names)
        member = archive.namelist()[names.index(name)]
        with archive.open(member) as file:
            _check_header(file, archive.getinfo(member).file_size)
        with archive.open(member) as file:
            return np.lib.format.read_array(file, allow_pickle=False)


def map_array(path: Path, name: str) -> np.ndarray | None:
    """Return the array `name` of an .npz file mapped into memory, read-only; None if it is missing or compressed.

    Raises:
        ValueError: the file is not an .npz, is damaged, or contains Python objects.
    """
    with _readable(path, "npz"):
        with zipfile.ZipFile(path) as archive:
            found = [info for info in archive.infolist() if info.filename.removesuffix(".npy") == name]
            if not found or found[0].compress_type != zipfile.ZIP_STORED:
                return None
            with archive.open(found[0]) as file:
                shape, fortran, dtype = _check_header(file, found[0].file_size, in_memory=False)
                length = file.tell()
        with path.open("rb") as raw:
            raw.seek(found[0].header_offset + 26)  # lengths of name and extra field in the header of the member
            start = raw.tell() + 4 + sum(struct.unpack("<HH", raw.read(4))) + length
        return np.memmap(path, dtype, "r", start, shape, "F" if fortran else "C")


def read_npy(path: Path) -> np.ndarray:
    """Return the array of a file written by `numpy.save`.

    Raises:
        ValueError: the file is not an .npy, is damaged, contains Python objects, or does not fit in memory.
    """
    return np.array(_checked_npy(path, in_memory=True))


def map_npy(path: Path) -> np.ndarray:
    """Return the array of a file written by `numpy.save` mapped into memory, read-only.

    Raises:
        ValueError: the file is not an .npy, is damaged, or contains Python objects.
    """
    return _checked_npy(path, in_memory=False)


@contextmanager
def _readable(path: Path, kind: str) -> Iterator[None]:
    """Raise ValueError for every error that a damaged file causes; FileNotFoundError is not changed."""
    try:
        yield
    except FileNotFoundError:
        raise
    except ERRORS as error:
        raise ValueError(
            f"{path} can't be read as an .{kind} ({error or type(error).__name__}): write it again"
        ) from error


def _checked_npy(path: Path, *, in_memory: bool) -> np.ndarray:
    with _readable(path, "npy"), path.open("rb") as file:
        shape, fortran, dtype = _check_header(file, path.stat().st_size, in_memory=in_memory)
        return np.memmap(path, dtype, "r", file.tell(), shape, "F" if fortran else "C")


def _check_header(file: IO[bytes], file_size: int, *, in_memory: bool = True) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Return shape, order and type of an array of numbers with the size of the file that fits in memory.

    Raises:
        ValueError: it is not such an array; `in_memory=False` accepts one that does not fit.
    """
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read_header(file)
    if dtype.hasobject:
        raise ValueError("it holds Python objects, expected numbers")
    declared = dtype.itemsize
    for side in shape:
        declared *= int(side)  # Python integers, because a product in int64 could overflow
    if declared != file_size - file.tell():
        raise ValueError(f"an array of shape {shape} takes {declared} bytes, the file has {file_size - file.tell()}")
    if in_memory and declared > available_bytes():
        raise ValueError(
            f"an array of shape {shape} takes {declared / GIB:,.1f} GiB of memory, "
            f"{available_bytes() / GIB:,.1f} GiB are available"
        )
    return shape, fortran, dtype
