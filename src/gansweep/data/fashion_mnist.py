"""Fashion-MNIST: images of clothes in the format of MNIST."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from gansweep.data.images import with_mirrored
from gansweep.data.mnist import MNIST


@dataclass(frozen=True)
class FashionMNIST(MNIST):
    """Fashion-MNIST: 60,000 training and 10,000 test images of clothes, scaled to [-1, 1].

    Xiao et al. 2017, arXiv:1708.07747. The files are expected in `<root>/FashionMNIST/raw`.

    Args:
        root: folder of data sets, or the folder FashionMNIST itself.
        split: train or test.
        size: side in pixels; images are resized bilinearly if it is not 28.
        download: download missing files with torchvision.
        flip: add the mirror image of every image.
    """

    flip: bool = False
    name: ClassVar[str] = "fashion_mnist"
    folder: ClassVar[str] = "FashionMNIST"

    def read(self) -> Tensor:
        """Return the images (N, 1, size, size); with `flip`, (2 N, 1, size, size)."""
        images = super().read()
        return with_mirrored(images) if self.flip else images

    def read_labels(self) -> Tensor:
        """Return the class of every image, int64 (N,) or (2 N,), as the images."""
        labels = super().read_labels()
        return torch.cat([labels, labels]) if self.flip else labels
