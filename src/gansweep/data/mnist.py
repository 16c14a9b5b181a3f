"""MNIST: handwritten digits of 28 x 28 pixels, and its file format IDX."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from gansweep.data.images import Images, check_choice, check_memory, check_size, from_bytes, resized
from gansweep.memory import available_bytes
from gansweep.user_path import user_path

UNSIGNED_BYTE = 8
MAX_AXES = 4  # maximum number of axes; images (N, H, W) have 3


@dataclass(frozen=True)
class MNIST(Images):
    """MNIST: 60,000 training and 10,000 test images of handwritten digits, scaled to [-1, 1].

    LeCun et al. 1998. The files are expected in torchvision's layout, `<root>/MNIST/raw`, compressed or
    not. The labels are read for conditional models only.

    Args:
        root: folder of data sets, or the folder MNIST itself.
        split: train or test.
        size: side in pixels; images are resized bilinearly if it is not 28.
        download: download missing files with torchvision.
    """

    root: str = "data"
    split: str = "train"
    size: int = 28
    download: bool = False
    name: ClassVar[str] = "mnist"
    folder: ClassVar[str] = "MNIST"  # also the name of the class in torchvision

    def __post_init__(self) -> None:
        check_choice("split", self.split, ("train", "test"))
        check_size(self.size)

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """(1, size, size)."""
        return 1, self.size, self.size

    def check(self) -> None:
        """Raise FileNotFoundError if the file is missing and cannot be downloaded."""
        check_memory(self, 60_000 if self.split == "train" else 10_000)
        if self._find(self._file) is None and self.download:
            self._fetch()
        if self._find(self._file) is None:
            raise FileNotFoundError(
                f"data={self.name}: no {self._file}.gz in {self._folders[0]}. Put it there, "
                f"or set data.root=<folder that contains {self.folder}/raw> or data.download=true"
            )

    def read(self) -> Tensor:
        """Return the images (N, 1, size, size)."""
        path = self._path(self._file)
        pixels = decode_idx(read_idx(path), path)
        if pixels.ndim != 3:
            raise ValueError(f"{path} holds shape {pixels.shape}, expected images (N, H, W): replace it")
        return resized(from_bytes(torch.from_numpy(pixels.copy()))[:, None], self.size)

    def read_labels(self) -> Tensor:
        """Return the digit of every image, int64 (N,)."""
        path = self._path(self._labels_file)
        labels = decode_idx(read_idx(path), path)
        if labels.ndim != 1:
            raise ValueError(f"{path} holds shape {labels.shape}, expected labels (N,): replace it")
        return torch.from_numpy(labels.astype(np.int64))

    def hash_sources(self, digest: Any) -> None:
        """Update the digest with the decompressed file."""
        digest.update(read_idx(self._path(self._file)))

    @property
    def _file(self) -> str:
        return f"{'train' if self.split == 'train' else 't10k'}-images-idx3-ubyte"

    @property
    def _labels_file(self) -> str:
        return self._file.replace("images-idx3", "labels-idx1")

    @property
    def _folders(self) -> list[Path]:
        root = user_path(self.root)
        # `root` itself only if it has the name of this data set: other data sets have files of the
        # same names.
        itself = [root / "raw"] if root.name == self.folder else []
        return [root / self.folder / "raw", *itself]

    def _find(self, file: str) -> Path | None:
        return next(filter(None, (find_idx(folder / file) for folder in self._folders)), None)

    def _path(self, file: str) -> Path:
        path = self._find(file)
        if path is None:
            raise FileNotFoundError(f"data={self.name}: no {file}.gz in {self._folders[0]}. Put it there")
        return path

    def _fetch(self) -> None:
        from torchvision import datasets

        try:
            getattr(datasets, self.folder)(str(user_path(self.root)), download=True)
        except (RuntimeError, OSError) as error:
            raise FileNotFoundError(
                f"data={self.name}: download failed ({error}). Put {self._file}.gz into {self._folders[0]}"
            ) from error


def find_idx(path: Path) -> Path | None:
    """Return `path` if it exists, otherwise `path`.gz if that exists, otherwise None."""
    for candidate in (path, path.with_name(f"{path.name}.gz")):
        if candidate.is_file():
            return candidate
    return None


def read_idx(path: Path) -> bytes:
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


def decode_idx(raw: bytes, path: Path) -> np.ndarray:
    """Decode an IDX file: 0, 0, type, number of axes, their lengths (big endian), values.

    Raises:
        ValueError: the file is not an IDX file of bytes, or its size differs from its header.
    """
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] != UNSIGNED_BYTE or len(raw) < 4 + 4 * raw[3]:
        raise ValueError(f"{path} is not an idx file of bytes: replace it")
    shape = _shape(raw)
    if len(shape) > MAX_AXES or 0 in shape:
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
