"""MNIST: handwritten digits of 28 x 28 pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from gansweep.data import idx
from gansweep.data.images import Images, check_choice, check_memory, check_size, from_bytes, resized
from gansweep.user_path import user_path


@dataclass(frozen=True)
class MNIST(Images):
    """MNIST: 60,000 training and 10,000 test images of handwritten digits, scaled to [-1, 1].

    LeCun et al. 1998. The files are expected in torchvision's layout, `<root>/MNIST/raw`, compressed or
    not. The labels are not needed.

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
        if self._find() is None and self.download:
            self._fetch()
        if self._find() is None:
            raise FileNotFoundError(
                f"data={self.name}: no {self._file}.gz in {self._folders[0]}. Put it there, "
                f"or set data.root=<folder that contains {self.folder}/raw> or data.download=true"
            )

    def read(self) -> Tensor:
        """Return the images (N, 1, size, size)."""
        path = self._path
        pixels = idx.decode(idx.content(path), path)
        if pixels.ndim != 3:
            raise ValueError(f"{path} holds shape {pixels.shape}, expected images (N, H, W): replace it")
        return resized(from_bytes(torch.from_numpy(pixels.copy()))[:, None], self.size)

    def hash_sources(self, digest: Any) -> None:
        """Update the digest with the decompressed file."""
        digest.update(idx.content(self._path))

    @property
    def _file(self) -> str:
        return f"{'train' if self.split == 'train' else 't10k'}-images-idx3-ubyte"

    @property
    def _folders(self) -> list[Path]:
        root = user_path(self.root)
        # `root` itself only if it has the name of this data set: other data sets have files of the same names.
        itself = [root / "raw"] if root.name == self.folder else []
        return [root / self.folder / "raw", *itself]

    def _find(self) -> Path | None:
        return next(filter(None, (idx.find(folder / self._file) for folder in self._folders)), None)

    @property
    def _path(self) -> Path:
        path = self._find()
        if path is None:
            raise FileNotFoundError(self._folders[0] / self._file)
        return path

    def _fetch(self) -> None:
        from torchvision import datasets

        try:
            getattr(datasets, self.folder)(str(user_path(self.root)), download=True)
        except (RuntimeError, OSError) as error:
            raise FileNotFoundError(
                f"data={self.name}: download failed ({error}). Put {self._file}.gz into {self._folders[0]}"
            ) from error
