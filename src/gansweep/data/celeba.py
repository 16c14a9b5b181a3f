"""CelebA: photographs of faces."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor

from gansweep.data.images import (
    Images,
    check_choice,
    check_memory,
    check_size,
    from_bytes,
    read_pictures,
    with_mirrored,
)
from gansweep.image_files import LeftOut
from gansweep.user_path import user_path

SPLITS = ("train", "valid", "test")  # 0, 1 and 2 in list_eval_partition.txt


@dataclass(frozen=True)
class CelebA(Images):
    """CelebA: 202,599 aligned faces of 178 x 218 pixels, scaled to [-1, 1].

    Liu et al. 2015, arXiv:1411.7766. The files are expected in torchvision's layout: `<root>/celeba`
    contains the folder `img_align_celeba` and the file `list_eval_partition.txt`. All training images
    at 64 pixels take 8 GB of memory; `num_images` limits their number.

    Args:
        root: folder of data sets.
        split: train (162,770), valid (19,867) or test (19,962).
        size: side in pixels after resizing.
        crop: side in pixels of the central square that is cropped before resizing; null for the
            largest, 178.
        flip: add the mirror image of every image.
        num_images: number of images, from the beginning of the split; null for all.
        download: download missing files with torchvision, which requires the package gdown.
    """

    root: str = "data"
    split: str = "train"
    size: int = 64
    crop: int | None = None
    flip: bool = False
    num_images: int | None = None
    download: bool = False
    name: ClassVar[str] = "celeba"

    def __post_init__(self) -> None:
        check_choice("split", self.split, SPLITS)
        check_size(self.size)
        if self.crop is not None and not 1 <= self.crop <= 178:
            raise ValueError(f"crop={self.crop}: expected 1 to 178 pixels, or null for 178")
        if self.num_images is not None and self.num_images < 1:
            raise ValueError(f"num_images={self.num_images}: expected 1 or more, or null for all")

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """(3, size, size)."""
        return 3, self.size, self.size

    @property
    def _folder(self) -> Path:
        return user_path(self.root) / "celeba"

    def check(self) -> None:
        """Raise FileNotFoundError if the files are missing and cannot be downloaded."""
        if not self._complete() and self.download:
            self._fetch()
        if not self._complete():
            raise FileNotFoundError(
                f"data={self.name}: {self._folder} lacks img_align_celeba/ or list_eval_partition.txt. "
                f"Put them there, or set data.root=<folder that contains celeba> or data.download=true"
            )
        missing = [path for path in self._paths if not path.is_file()]
        if missing or not self._paths:
            raise FileNotFoundError(
                f"data={self.name}: {len(missing)} of {len(self._paths)} {self.split} images are missing, "
                f"such as {missing[0] if missing else self._folder / 'img_align_celeba'}. "
                f"Unpack img_align_celeba.zip in {self._folder} again"
            )
        check_memory(self, len(self._paths) * (1 + self.flip))

    def read(self) -> Tensor:
        """Return the images (N, 3, size, size); with `flip`, (2 N, 3, size, size)."""
        images = from_bytes(read_pictures(self._paths, self.size, self.crop, 3, LeftOut()))
        return with_mirrored(images) if self.flip else images

    def hash_sources(self, digest: Any) -> None:
        """Update the digest with the name and the bytes of every file."""
        for path in self._paths:
            content = path.read_bytes()
            digest.update(f"{path.name}\0{len(content)}\0".encode())
            digest.update(content)

    @cached_property
    def _paths(self) -> list[Path]:
        split = str(SPLITS.index(self.split))
        lines = (self._folder / "list_eval_partition.txt").read_text(encoding="utf-8").splitlines()
        names = [parts[0] for parts in map(str.split, lines) if len(parts) == 2 and parts[1] == split]
        return [self._folder / "img_align_celeba" / name for name in names[: self.num_images]]

    def _complete(self) -> bool:
        return (self._folder / "img_align_celeba").is_dir() and (self._folder / "list_eval_partition.txt").is_file()

    def _fetch(self) -> None:
        from torchvision import datasets

        try:
            datasets.CelebA(str(user_path(self.root)), self.split, download=True)
        except (RuntimeError, OSError) as error:
            raise FileNotFoundError(
                f"data={self.name}: download failed ({error}). "
                f"Put img_align_celeba/ and list_eval_partition.txt into {self._folder}"
            ) from error
