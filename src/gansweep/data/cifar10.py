"""CIFAR-10: small colour photographs of ten classes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from gansweep.data.images import Images, check_choice, check_memory, check_size, from_bytes, resized, with_mirrored
from gansweep.user_path import user_path


@dataclass(frozen=True)
class CIFAR10(Images):
    """CIFAR-10: 50,000 training and 10,000 test images of 32 x 32 pixels, scaled to [-1, 1].

    Krizhevsky 2009. The files are expected in torchvision's layout, `<root>/cifar-10-batches-py`.
    They are pickles, so torchvision opens them only if their MD5 is the published one.

    Args:
        root: folder of data sets.
        split: train or test.
        size: side in pixels; images are resized bilinearly if it is not 32.
        flip: add the mirror image of every image.
        download: download missing files with torchvision.
    """

    root: str = "data"
    split: str = "train"
    size: int = 32
    flip: bool = False
    download: bool = False
    name: ClassVar[str] = "cifar10"

    def __post_init__(self) -> None:
        check_choice("split", self.split, ("train", "test"))
        check_size(self.size)

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """(3, size, size)."""
        return 3, self.size, self.size

    def check(self) -> None:
        """Raise FileNotFoundError if the files are missing and cannot be downloaded."""
        check_memory(self, (50_000 if self.split == "train" else 10_000) * (1 + self.flip))
        if self._folder.is_dir():
            return
        if self.download:
            self._files()
        else:
            raise FileNotFoundError(
                f"data={self.name}: no {self._folder}. Unpack cifar-10-python.tar.gz in {self.root}, "
                "or set data.root=<folder that contains cifar-10-batches-py> or data.download=true"
            )

    def read(self) -> Tensor:
        """Return the images (N, 3, size, size); with `flip`, (2 N, 3, size, size)."""
        images = resized(from_bytes(torch.from_numpy(self._files().data).permute(0, 3, 1, 2).contiguous()), self.size)
        return with_mirrored(images) if self.flip else images

    def read_labels(self) -> Tensor:
        """Return the class of every image, int64 (N,) or (2 N,), as the images."""
        labels = torch.tensor(self._files().targets)
        return torch.cat([labels, labels]) if self.flip else labels

    def hash_sources(self, digest: Any) -> None:
        """Update the digest with the pixels."""
        digest.update(np.ascontiguousarray(self._files().data).data)

    @property
    def _folder(self) -> Path:
        return user_path(self.root) / "cifar-10-batches-py"

    def _files(self) -> Any:
        """Return torchvision's data set, with `data`, the pixels as uint8 (N, H, W, 3), and `targets`, the labels."""
        from torchvision import datasets

        try:
            return datasets.CIFAR10(str(user_path(self.root)), train=self.split == "train", download=self.download)
        except (RuntimeError, OSError) as error:
            raise ValueError(
                f"data={self.name}: cannot read {self._folder} ({error}). "
                f"Unpack cifar-10-python.tar.gz in {self.root} again"
            ) from error
