"""Any folder of pictures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor

from gansweep.data.images import Images, check_size, from_bytes, with_mirrored
from gansweep.data.pictures import MODES, read_pictures

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")


@dataclass(frozen=True)
class ImageFolder(Images):
    """The pictures in a folder and in those within it, in [-1, 1].

    Folders of classes, as torchvision's `ImageFolder` wants them, are as good as none.

    Args:
        root: the folder.
        size: side in pixels after resizing.
        crop: side of the central square that is cut out first; null for the largest there is.
        channels: 3 for colour, 1 for grey.
        flip: add every picture's mirror image.
    """

    root: str = "data/images"
    size: int = 64
    crop: int | None = None
    channels: int = 3
    flip: bool = False
    name: ClassVar[str] = "image_folder"

    def __post_init__(self) -> None:
        check_size(self.size)
        if self.crop is not None and self.crop < 1:
            raise ValueError(f"crop={self.crop}: expected pixels, 1 or more, or null for the largest square")
        if self.channels not in MODES:
            raise ValueError(f"channels={self.channels}: expected 3 for colour or 1 for grey")

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """(channels, size, size)."""
        return self.channels, self.size, self.size

    def check(self) -> None:
        """Raise FileNotFoundError if there is no picture."""
        if not self._paths:
            raise FileNotFoundError(
                f"data={self.name}: no pictures in {self.root}. Put some there ({', '.join(SUFFIXES)}), "
                "also in folders, or say data.root=<folder of pictures>"
            )

    def read(self) -> Tensor:
        """Return (N, channels, size, size), or twice as many with mirror images."""
        images = from_bytes(read_pictures(self._paths, self.size, self.crop, self.channels))
        return with_mirrored(images) if self.flip else images

    def hash_sources(self, digest: Any) -> None:
        """Take in every file's place and bytes."""
        for path in self._paths:
            content = path.read_bytes()
            digest.update(f"{path.relative_to(self.root).as_posix()}\0{len(content)}\0".encode())
            digest.update(content)

    @cached_property
    def _paths(self) -> list[Path]:
        root = Path(self.root)
        found = (path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
        return sorted(found, key=lambda path: path.relative_to(root).as_posix())
