"""Texture: random patches of one image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from gansweep.data.images import Images, check_choice, check_size, from_bytes
from gansweep.image_files import LeftOut, Picture, printable, read_image, resized_pixels
from gansweep.memory import available_bytes, require_memory
from gansweep.seeding import Streams
from gansweep.user_path import user_path

SHIPPED = "flower.jpg"  # of scikit-learn's sample images, 640 x 427


@dataclass(frozen=True)
class Texture(Images):
    """Texture: square patches cropped from an image at random positions, scaled to [-1, 1].

    The study of CoopNets' learning rates (Hill and Nijkamp 2017) uses 300 patches of 32 x 32 pixels
    from a photograph of ivy. Its script draws one number for both the row and the column of a
    patch, so that all patches are on the diagonal of the image; `offsets=diagonal` reproduces it.
    Any stationary texture can be used.

    Args:
        path: the image file; null for scikit-learn's image of a flower.
        size: side of a patch in pixels.
        num_patches: number of patches N.
        seed: seed of the positions.
        offsets: free: independent row and column; diagonal: one number for both.
        resize: factor by which the image is resized before cropping.
    """

    path: str | None = None
    size: int = 32
    num_patches: int = 300
    seed: int = 0
    offsets: str = "free"
    resize: float = 1.0
    name: ClassVar[str] = "texture"

    def __post_init__(self) -> None:
        check_size(self.size)
        check_choice("offsets", self.offsets, ("free", "diagonal"))
        if self.num_patches < 1:
            raise ValueError(f"num_patches={self.num_patches}: expected 1 or more")
        if self.seed < 0:
            raise ValueError(f"seed={self.seed}: expected a whole number, 0 or above")
        if not 0 < self.resize < math.inf:
            raise ValueError(f"resize={self.resize}: expected a factor above 0")

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """(3, size, size)."""
        return 3, self.size, self.size

    def check(self) -> None:
        """Raise an error if the image is missing, unreadable or smaller than a patch."""
        if self.path is not None and not user_path(self.path).is_file():
            raise FileNotFoundError(f"data={self.name}: no picture at {self.path}; data.path=null takes scikit-learn's")
        height, width = self._picture.pixels.shape[:2]
        if min(height, width) < self.size:
            raise ValueError(f"size={self.size}: the picture has {width} x {height} pixels after resize={self.resize}")
        if "samples" not in vars(self):
            require_memory("num_patches", self.num_patches, "the patches", 4 * 3 * self.size**2)

    def read(self) -> Tensor:
        """Return the patches (num_patches, 3, size, size)."""
        pixels = torch.from_numpy(self._picture.pixels).permute(2, 0, 1)
        patches = [pixels[:, y : y + self.size, x : x + self.size] for y, x in self.corners().tolist()]
        return from_bytes(torch.stack(patches))

    def corners(self) -> Tensor:
        """Return the row and the column of the upper left corner of every patch, (N, 2)."""
        height, width = self._picture.pixels.shape[:2]
        num_positions, generator = torch.tensor([height, width]) - self.size + 1, Streams(self.seed)["patches"]
        if self.offsets == "diagonal":
            offsets = torch.randint(int(num_positions.min()), (self.num_patches,), generator=generator)
            return torch.stack([offsets, offsets], 1)
        drawn = [torch.randint(int(num), (self.num_patches,), generator=generator) for num in num_positions]
        return torch.stack(drawn, 1)

    def hash_sources(self, digest: Any) -> None:
        """Update the digest with the pixels of the resized image."""
        digest.update(f"{self._picture.pixels.shape}".encode())
        digest.update(self._picture.pixels.tobytes())

    @property
    def left_out(self) -> str:
        """One-line summary of file contents that are not used, empty if there are none."""
        left_out = LeftOut()
        for kind in self._picture.left_out:
            left_out.add(kind, printable(str(self.path)))
        return str(left_out)

    @cached_property
    def _picture(self) -> Picture:
        """The resized image (H, W, 3): uint8, or float32 if the file has more than 8 bits per channel."""
        try:
            picture = read_image(_shipped() if self.path is None else user_path(self.path), 3)
        except ValueError as error:
            raise ValueError(f"path={self.path}: {error}") from error
        if self.resize == 1:
            return picture
        height, width = (max(1, round(side * self.resize)) for side in picture.pixels.shape[:2])
        if 3 * height * width > available_bytes():
            raise ValueError(f"resize={self.resize}: {width} x {height} pixels do not fit in memory, expected less")
        return Picture(resized_pixels(picture.pixels, (width, height)), picture.left_out)


def _shipped() -> Path:
    import sklearn  # takes a while to import

    return Path(sklearn.__file__).parent / "datasets" / "images" / SHIPPED
