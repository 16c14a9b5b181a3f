"""Handwritten digits of scikit-learn, which need no download."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from gansweep.data.images import Images, check_memory, check_size, resized


@dataclass(frozen=True)
class Digits(Images):
    """Digits: 1,797 handwritten digits of 8 x 8 pixels with 17 grey levels.

        x = pixels / 8 - 1,   pixels in 0 ... 16

    Alpaydin and Kaynak 1998, "Optical Recognition of Handwritten Digits", UCI, the test set;
    scikit-learn's `load_digits`.

    Args:
        size: side in pixels; images are resized bilinearly if it is not 8.
    """

    size: int = 8
    name: ClassVar[str] = "digits"

    def __post_init__(self) -> None:
        check_size(self.size)

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """(1, size, size)."""
        return 1, self.size, self.size

    def check(self) -> None:
        """Raise ValueError if the images do not fit in memory; their file is part of scikit-learn."""
        check_memory(self, 1797)

    def read(self) -> Tensor:
        """Return the images (1797, 1, size, size)."""
        return resized(torch.from_numpy(self._pixels).float()[:, None] / 8 - 1, self.size)

    def hash_sources(self, digest: Any) -> None:
        """Update the digest with the pixels."""
        digest.update(self._pixels.tobytes())

    def read_labels(self) -> Tensor:
        """Return the digit of every image, int64 (1797,)."""
        return torch.from_numpy(self._file[1])

    @property
    def _pixels(self) -> np.ndarray:
        return self._file[0]

    @cached_property
    def _file(self) -> tuple[np.ndarray, np.ndarray]:
        from sklearn.datasets import load_digits  # takes a second to import

        pixels, digits = load_digits(return_X_y=True)
        return np.asarray(pixels, np.uint8).reshape(-1, 8, 8), np.asarray(digits, np.int64)
