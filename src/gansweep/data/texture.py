"""Patches of one picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from gansweep.data.images import Images, check_choice, check_size, from_bytes
from gansweep.image_files import LeftOut, Picture, printable, read_image, resized
from gansweep.memory import available_bytes, require_memory
from gansweep.seeding import Streams
from gansweep.user_path import user_path

SHIPPED = "flower.jpg"  # of scikit-learn's sample images, 640 x 427


@dataclass(frozen=True)
class Texture(Images):
    """Square patches cut from a picture at random places, in [-1, 1].

    The study of CoopNets' learning rates has 300 of 32 x 32 from a photograph of ivy. Its script
    draws one number for the row and the column of a patch, so that all lie on the picture's
    diagonal: `offsets=diagonal`. Any stationary texture will do.

    Args:
        path: of the picture; null for a flower that comes with scikit-learn.
        size: side of a patch in pixels.
        num_patches: N.
        seed: of the places.
        offsets: free, or diagonal for one number as row and column.
        resize: factor by which the picture is made larger or smaller before it is cut.
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
        """Raise FileNotFoundError or ValueError if there is no picture, or none from which a patch can be cut."""
        if self.path is not None and not user_path(self.path).is_file():
            raise FileNotFoundError(f"data={self.name}: no picture at {self.path}; data.path=null takes scikit-learn's")
        height, width = self._picture.pixels.shape[:2]
        if min(height, width) < self.size:
            raise ValueError(f"size={self.size}: the picture has {width} x {height} pixels after resize={self.resize}")
        if "samples" not in vars(self):
            require_memory("num_patches", self.num_patches, "the patches", 4 * 3 * self.size**2)

    def read(self) -> Tensor:
        """Return (num_patches, 3, size, size)."""
        pixels = torch.from_numpy(self._picture.pixels).permute(2, 0, 1)
        patches = [pixels[:, y : y + self.size, x : x + self.size] for y, x in self.corners().tolist()]
        return from_bytes(torch.stack(patches))

    def corners(self) -> Tensor:
        """Draw the upper left corner of every patch, row and column (N, 2)."""
        height, width = self._picture.pixels.shape[:2]
        places, generator = torch.tensor([height, width]) - self.size + 1, Streams(self.seed)["patches"]
        if self.offsets == "diagonal":
            along = torch.randint(int(places.min()), (self.num_patches,), generator=generator)
            return torch.stack([along, along], 1)
        drawn = [torch.randint(int(most), (self.num_patches,), generator=generator) for most in places]
        return torch.stack(drawn, 1)

    def hash_sources(self, digest: Any) -> None:
        """Take in the picture's pixels as they are cut."""
        digest.update(f"{self._picture.pixels.shape}".encode())
        digest.update(self._picture.pixels.tobytes())

    @property
    def left_out(self) -> str:
        """One line about what of the file is not used, empty if all is."""
        left_out = LeftOut()
        for kind in self._picture.left_out:
            left_out.add(kind, printable(str(self.path)))
        return str(left_out)

    @cached_property
    def _picture(self) -> Picture:
        """The picture (H, W, 3), resized; its pixels are bytes, or floats if the file has more than 8 bits."""
        try:
            picture = read_image(_shipped() if self.path is None else user_path(self.path), 3)
        except ValueError as error:
            raise ValueError(f"path={self.path}: {error}") from error
        if self.resize == 1:
            return picture
        height, width = (max(1, round(side * self.resize)) for side in picture.pixels.shape[:2])
        if 3 * height * width > available_bytes():
            raise ValueError(f"resize={self.resize}: {width} x {height} pixels do not fit in memory, expected less")
        return Picture(resized(picture.pixels, (width, height)), picture.left_out)


def _shipped() -> Path:
    import sklearn  # takes a while to import

    return Path(sklearn.__file__).parent / "datasets" / "images" / SHIPPED
