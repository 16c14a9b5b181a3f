"""Images from a folder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from gansweep.data.images import (
    Images,
    check_memory,
    check_size,
    from_bytes,
    mirrored_above,
    read_pictures,
    with_mirrored,
)
from gansweep.data.streamed import Streamed, fit_in_memory
from gansweep.image_files import MODES, SUFFIXES, LeftOut, is_deep, list_images
from gansweep.user_path import user_path

DEEP_VALUES = b"16-bit and float values by their nominal range"  # earlier versions clipped them at 255


@dataclass(frozen=True)
class ImageFolder(Images):
    """Image folder: all images in a folder and its subfolders, scaled to [-1, 1].

    The subfolders of `root` are the classes of conditional models, in alphabetical order, as in
    torchvision's `ImageFolder`; other models do not require them. Symbolic links to folders are not
    followed. 16-bit values are divided by 65535; floats must be in [0, 1]. `left_out` reports skipped
    files and ignored file contents.

    Args:
        root: the folder.
        size: side in pixels after resizing.
        crop: side in pixels of the central square that is cropped before resizing; null for the largest.
        channels: 3 for colour, 1 for grey.
        flip: add the mirror image of every image.
        in_memory: false: read batches from the files; null: only if the images take more than half of the memory.
    """

    root: str = "data/images"
    size: int = 64
    crop: int | None = None
    channels: int = 3
    flip: bool = False
    in_memory: bool | None = None
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
        """Raise FileNotFoundError if the folder contains no images."""
        if not self._paths:
            raise FileNotFoundError(
                f"data={self.name}: no pictures in {self.root}. Put some there ({', '.join(SUFFIXES)}), "
                "also in folders, or set data.root=<folder of pictures>"
            )
        if not self.is_streamed:
            check_memory(self, len(self._paths) * (1 + self.flip))

    @cached_property
    def is_streamed(self) -> bool:
        """Whether batches are read from the files, because of `in_memory` or for lack of memory."""
        fit = fit_in_memory(self.sample_shape, len(self._paths) * (1 + self.flip))
        return not (fit if self.in_memory is None else self.in_memory)

    def read(self) -> Tensor:
        """Return the images (N, channels, size, size); with `flip`, (2 N, channels, size, size)."""
        pixels = read_pictures(self._paths, self.size, self.crop, self.channels, self._left_out)
        images = from_bytes(pixels)
        return with_mirrored(images) if self.flip else images

    def stream(self) -> Streamed:
        """Return the same images, read from their files in batches."""
        paths = self._paths

        def read(index: Tensor) -> Tensor:
            files = [paths[n % len(paths)] for n in index.tolist()]
            images = from_bytes(read_pictures(files, self.size, self.crop, self.channels, LeftOut()))
            return mirrored_above(len(paths), index, images)

        return Streamed(read, (len(paths) * (1 + self.flip), *self.sample_shape))

    def read_labels(self) -> Tensor | None:
        """Return the number of every image's subfolder, int64 (N,); None if an image is in none."""
        folders = [path.relative_to(user_path(self.root)).parts[:-1][:1] for path in self._paths]
        if not all(folders):
            return None
        names = sorted(set(folders))
        labels = torch.tensor([names.index(folder) for folder in folders])
        return torch.cat([labels, labels]) if self.flip else labels

    def hash_sources(self, digest: Any) -> None:
        """Update the digest with the relative path and the bytes of every file."""
        for path in self._paths:
            content = path.read_bytes()
            digest.update(f"{path.relative_to(user_path(self.root)).as_posix()}\0{len(content)}\0".encode())
            digest.update(content)
        if any(map(is_deep, self._paths)):
            digest.update(DEEP_VALUES)

    @property
    def left_out(self) -> str:
        """One-line summary of skipped files and ignored file contents, empty if there are none."""
        _ = self.samples  # reading the images fills the summary
        return str(self._left_out)

    @cached_property
    def _left_out(self) -> LeftOut:
        return LeftOut()

    @cached_property
    def _paths(self) -> list[Path]:
        root = user_path(self.root)
        images = list_images(root, self._left_out, recursive=True, any_case=True)
        return sorted(images, key=lambda path: path.relative_to(root).as_posix())
