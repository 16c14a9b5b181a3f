"""Clothes in the format of MNIST."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from gansweep.data.images import with_mirrored
from gansweep.data.mnist import MNIST


@dataclass(frozen=True)
class FashionMNIST(MNIST):
    """60,000 training and 10,000 test images of clothes, in [-1, 1].

    Xiao et al. 2017, arXiv:1708.07747. Files lie in `<root>/FashionMNIST/raw`.

    Args:
        root: folder of data sets, or its folder FashionMNIST itself.
        split: train or test.
        size: side in pixels; other than 28 is resized bilinearly.
        download: let torchvision fetch missing files.
        flip: add every image's mirror image.
    """

    flip: bool = False
    name: ClassVar[str] = "fashion_mnist"
    folder: ClassVar[str] = "FashionMNIST"

    def read(self) -> Tensor:
        """Return (N, 1, size, size), or twice as many with mirror images."""
        images = super().read()
        return with_mirrored(images) if self.flip else images
