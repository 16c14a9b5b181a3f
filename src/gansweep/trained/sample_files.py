"""Generated samples in files: images as a folder of PNG files, all samples as one array, .npy or .npz."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Container, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, PngImagePlugin
from torch import Tensor

from gansweep.image_files import MODES
from gansweep.trained.options import check_new_file
from gansweep.trained.pair import BATCH_SIZE, TrainedPair

DIGITS = 6  # of the file names; more images have longer names
TEXT = "gansweep"  # keyword of the PNG text chunk with the fingerprint of the sampling
PART = ".part"  # suffix of a file that is being written
SUFFIXES = (".npy", ".npz")


class Sampling:
    """Samples of trained networks, generated in batches.

    Args:
        pair: the trained networks.
        num: number of samples.
        seed: of the latents; None for those of the evaluations of the cell.
        batch_size: samples per forward pass.
        progress: called with the number of samples so far, and `num`.
        labels: class of every sample (num,) of a conditional generator; None for the frequencies of the data.
    """

    def __init__(
        self,
        pair: TrainedPair,
        num: int,
        seed: int | None = None,
        batch_size: int = BATCH_SIZE,
        progress: Callable[[int, int], None] = lambda done, num: None,
        labels: Tensor | None = None,
    ) -> None:
        self.pair, self.num, self.batch_size, self.progress = pair, num, batch_size, progress
        self.latents, self.labels = pair.latents(num, seed), pair.labels_for(num, labels)

    def batches(self, written: Container[int] = ()) -> Iterator[tuple[range, Tensor]]:
        """Yield the indices and the samples of every batch, except of those whose samples are all written."""
        for first in range(0, self.num, self.batch_size):
            indices = range(first, min(first + self.batch_size, self.num))
            if not all(n in written for n in indices):
                labels = None if self.labels is None else self.labels[indices.start : indices.stop]
                latents = self.latents[indices.start : indices.stop]
                yield indices, self.pair.outputs(latents, self.batch_size, labels)
            self.progress(indices.stop, self.num)

    def fingerprint(self) -> str:
        """Return a hash of the weights, the latents and the labels."""
        digest = hashlib.sha256(json.dumps([self.pair.result.cell.hash, self.pair.step]).encode())
        labels = [] if self.labels is None else [self.labels]
        for tensor in (*self.pair.sampler.state_dict().values(), self.latents, *labels):
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:32]


def write_images(sampling: Sampling, folder: Path) -> int:
    """Write generated images to a folder, as `000000.png`, `000001.png`, ..., and return the number of new ones.

    An image in [-1, 1] is clipped and rounded to 8 bits per channel: round(255 (x + 1) / 2). Every file has the
    fingerprint of the sampling in a text chunk. Images that an interrupted call with the same arguments has written
    are kept.

    Args:
        sampling: the images.
        folder: a new or empty folder, or one with such images. Its parent must exist.

    Raises:
        ValueError: the folder contains other files, or the samples are not images of one or three channels.
    """
    check_folder(folder)
    shape = sampling.pair.sample_shape
    if len(shape) != 3 or shape[0] not in MODES:
        raise ValueError(
            f"{sampling.pair.result.cell.name}: its samples have shape {shape}, expected images of 1 or 3 channels; "
            "write other samples with --format npz"
        )
    fingerprint = sampling.fingerprint()
    there = _indices(folder, fingerprint)
    folder.mkdir(exist_ok=True)
    for indices, samples in sampling.batches(there):
        for n, image in zip(indices, in_bytes(samples), strict=True):
            if n not in there:
                _write_image(folder / f"{n:0{DIGITS}}.png", image, fingerprint)
    return sampling.num - len(there)


def _write_image(path: Path, image: Tensor, fingerprint: str) -> None:
    """Write an image (H, W, C), through a temporary file."""
    info = PngImagePlugin.PngInfo()
    info.add_text(TEXT, fingerprint)
    part = path.with_name(path.name + PART)
    part.unlink(missing_ok=True)
    Image.fromarray(image.squeeze(2).numpy(), MODES[image.shape[2]]).save(part, "PNG", pnginfo=info)
    part.replace(path)


def _indices(folder: Path, fingerprint: str) -> set[int]:
    """Return the indices of the images in a folder, which all have a fingerprint.

    Raises:
        ValueError: the folder contains another file.
    """
    there = set[int]()
    for path in folder.iterdir() if folder.exists() else ():
        if re.fullmatch(rf"\d{{{DIGITS},}}\.png{re.escape(PART)}", path.name):
            continue  # of an interrupted call
        if not re.fullmatch(rf"\d{{{DIGITS},}}\.png", path.name) or _text(path) != fingerprint:
            raise ValueError(
                f"--out {folder}: contains {path.name}, which is not an image of this cell, --num, --seed and "
                "--labels; expected a new or an empty folder, or one that the same command has filled in part"
            )
        if _is_whole(path):
            there.add(int(path.stem))
    return there


def _is_whole(path: Path) -> bool:
    """Return whether all pixels of an image can be read. A crash of the machine may have lost the end of a file."""
    try:
        with Image.open(path, formats=["PNG"]) as image:
            image.load()
    except (OSError, SyntaxError, ValueError):
        return False
    return True


def _text(path: Path) -> str | None:
    try:
        with Image.open(path, formats=["PNG"]) as image:
            return image.info.get(TEXT)
    except (OSError, SyntaxError, ValueError):
        return None


def in_bytes(images: Tensor) -> Tensor:
    """Return images (N, C, H, W) in [-1, 1] as uint8 (N, H, W, C)."""
    return ((images + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def check_folder(folder: Path) -> None:
    """Raise ValueError if a path is not that of a folder, or of a new one in an existing folder."""
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"--out {folder}: is not a folder")
    if not folder.parent.is_dir():
        raise ValueError(f"--out {folder}: {folder.parent} is not a folder")


def write_array(sampling: Sampling, path: Path) -> None:
    """Write generated samples to a new file that `data=npz` reads.

    Images are uint8 (N, H, W, C), as in `write_images`, and other samples float32 (N, ...). In an .npz they are the
    array `images` or `samples`, and the labels of a conditional generator the array `labels`.

    Args:
        sampling: the samples.
        path: the file. Its ending determines the format.

    Raises:
        ValueError: the file exists, or its ending is another one.
    """
    check_new_file(path, SUFFIXES)
    is_image = len(sampling.pair.sample_shape) == 3
    samples = np.concatenate([
        (in_bytes(samples) if is_image else samples).numpy() for _, samples in sampling.batches()
    ])  # fmt: skip
    part = path.with_name(path.name + PART)
    with part.open("wb") as file:
        if path.suffix == ".npy":
            np.save(file, samples)
        else:
            arrays: dict[str, Any] = {"images" if is_image else "samples": samples}
            if sampling.labels is not None:
                arrays["labels"] = sampling.labels.numpy()
            np.savez(file, **arrays)
    part.replace(path)
