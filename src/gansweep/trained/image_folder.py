"""Generated images as a folder of PNG files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from gansweep.image_files import MODES
from gansweep.labels import in_proportion
from gansweep.trained.pair import BATCH_SIZE, TrainedPair

DIGITS = 6  # of the file names; more images have longer names


def write_images(
    pair: TrainedPair,
    folder: Path,
    num: int,
    seed: int | None = None,
    batch_size: int = BATCH_SIZE,
    progress: Callable[[int, int], None] = lambda done, num: None,
) -> None:
    """Write generated images to a new or empty folder, as `000000.png`, `000001.png`, ...

    An image in [-1, 1] is clipped and rounded to 8 bits per channel: round(255 (x + 1) / 2).

    Args:
        pair: the trained networks.
        folder: the folder. Its parent must exist.
        num: number of images.
        seed: of the latents; None for those of the evaluations of the cell.
        batch_size: images per forward pass.
        progress: called with the number of images written so far, and `num`.

    Raises:
        ValueError: the folder contains files, or the samples are not images of one or three channels.
    """
    check_folder(folder)
    shape = pair.sample_shape
    if len(shape) != 3 or shape[0] not in MODES:
        raise ValueError(
            f"{pair.result.cell.name}: its samples have shape {shape}, expected images of 1 or 3 channels; "
            "gansweep.load(...).sample returns other samples"
        )
    if batch_size < 1:
        raise ValueError(f"--batch-size {batch_size}: expected 1 or more")
    if pair.why_no_samples:
        pair.sample(num)  # raises
    latents = pair.latents(num, seed)
    labels = latents[:, :0] if pair.labels is None else in_proportion(pair.labels, num)
    folder.mkdir(exist_ok=True)
    done = 0
    for z, of_batch in zip(latents.split(batch_size), labels.split(batch_size), strict=True):
        for image in in_bytes(pair.outputs(z, labels=None if pair.labels is None else of_batch)):
            Image.fromarray(image.squeeze(2).numpy(), MODES[shape[0]]).save(folder / f"{done:0{DIGITS}}.png")
            done += 1
        progress(done, num)


def in_bytes(images: Tensor) -> Tensor:
    """Return images (N, C, H, W) in [-1, 1] as uint8 (N, H, W, C)."""
    return ((images + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def check_folder(folder: Path) -> None:
    """Raise ValueError if a folder is not new or empty."""
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"--out {folder}: is not a folder")
    if not folder.parent.is_dir():
        raise ValueError(f"--out {folder}: {folder.parent} is not a folder")
    count = sum(1 for _ in folder.iterdir()) if folder.exists() else 0
    if count:
        raise ValueError(f"--out {folder}: contains {count} files; expected a new or an empty folder")
