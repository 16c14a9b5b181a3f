"""Any folder of pictures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor

from gansweep.data.images import Images, check_memory, check_size, from_bytes, with_mirrored
from gansweep.data.pictures import read_pictures
from gansweep.image_files import MODES, SUFFIXES, LeftOut, is_deep, list_images
from gansweep.user_path import user_path

DEEP_VALUES = b"16-bit and float values by their nominal range"  # earlier versions clipped them at 255


@dataclass(frozen=True)
class ImageFolder(Images):
    """The pictures in a folder and in those within it, in [-1, 1].

    Folders of classes, as torchvision's `ImageFolder` wants them, are as good as none. Symbolic links
    to folders are not followed. Values of 16 bits per pixel are scaled by 65535, floats have to be in
    [0, 1]. What is left out of the folder or of its files is counted in `left_out`.

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
        check_memory(self, len(self._paths) * (1 + self.flip))

    def read(self) -> Tensor:
        """Return (N, channels, size, size), or twice as many with mirror images."""
        pixels = read_pictures(self._paths, self.size, self.crop, self.channels, self._left_out)
        images = from_bytes(pixels)
        return with_mirrored(images) if self.flip else images

    def hash_sources(self, digest: Any) -> None:
        """Take in every file's place and bytes."""
        for path in self._paths:
            content = path.read_bytes()
            digest.update(f"{path.relative_to(user_path(self.root)).as_posix()}\0{len(content)}\0".encode())
            digest.update(content)
        if any(map(is_deep, self._paths)):
            digest.update(DEEP_VALUES)

    @property
    def left_out(self) -> str:
        """One line about what of the folder and its files is not used, empty if all is."""
        _ = self.samples  # reading fills it
        return str(self._left_out)

    @cached_property
    def _left_out(self) -> LeftOut:
        return LeftOut()

    @cached_property
    def _paths(self) -> list[Path]:
        root = user_path(self.root)
        images = list_images(root, self._left_out, recursive=True, any_case=True)
        return sorted(images, key=lambda path: path.relative_to(root).as_posix())
