"""Generated images as a folder of PNG files."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image, PngImagePlugin
from torch import Tensor

from gansweep.image_files import MODES
from gansweep.trained.pair import BATCH_SIZE, TrainedPair

DIGITS = 6  # of the file names; more images have longer names
TEXT = "gansweep"  # keyword of the PNG text chunk with the fingerprint of the sampling
PART = ".part"  # suffix of a file that is being written


def write_images(
    pair: TrainedPair,
    folder: Path,
    num: int,
    seed: int | None = None,
    batch_size: int = BATCH_SIZE,
    progress: Callable[[int, int], None] = lambda done, num: None,
    labels: Tensor | None = None,
) -> int:
    """Write generated images to a folder, as `000000.png`, `000001.png`, ..., and return the number of new ones.

    An image in [-1, 1] is clipped and rounded to 8 bits per channel: round(255 (x + 1) / 2). Every file has the
    fingerprint of weights, latents and labels in a text chunk. Images that an interrupted call with the same arguments
    has written are kept.

    Args:
        pair: the trained networks.
        folder: a new or empty folder, or one with such images. Its parent must exist.
        num: number of images.
        seed: of the latents; None for those of the evaluations of the cell.
        batch_size: images per forward pass.
        progress: called with the number of images so far, and `num`.
        labels: class of every image (num,) of a conditional generator; None for the frequencies of the data.

    Raises:
        ValueError: the folder contains other files, or the samples are not images of one or three channels.
    """
    check_folder(folder)
    shape = pair.sample_shape
    if len(shape) != 3 or shape[0] not in MODES:
        raise ValueError(
            f"{pair.result.cell.name}: its samples have shape {shape}, expected images of 1 or 3 channels; "
            "write other samples with --format npz"
        )
    latents, labels = pair.latents(num, seed), pair.labels_for(num, labels)
    fingerprint = fingerprint_of(pair, latents, labels)
    there = _indices(folder, fingerprint)
    info = PngImagePlugin.PngInfo()
    info.add_text(TEXT, fingerprint)
    folder.mkdir(exist_ok=True)
    for first in range(0, num, batch_size):
        rows = slice(first, min(first + batch_size, num))
        missing = [n for n in range(rows.start, rows.stop) if n not in there]
        if missing:
            images = in_bytes(pair.outputs(latents[rows], batch_size, None if labels is None else labels[rows]))
            for n in missing:
                path = folder / f"{n:0{DIGITS}}.png"
                part = path.with_name(path.name + PART)
                part.unlink(missing_ok=True)
                image = Image.fromarray(images[n - first].squeeze(2).numpy(), MODES[shape[0]])
                image.save(part, "PNG", pnginfo=info)
                part.replace(path)
        progress(rows.stop, num)
    return num - len(there)


def fingerprint_of(pair: TrainedPair, latents: Tensor, labels: Tensor | None) -> str:
    """Return a hash of the weights, the latents and the labels of generated samples."""
    digest = hashlib.sha256(json.dumps([pair.result.cell.hash, pair.step]).encode())
    for tensor in (*pair.sampler.state_dict().values(), latents, *([] if labels is None else [labels])):
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:32]


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
