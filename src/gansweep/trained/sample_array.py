"""Generated samples as one array, in an .npy or .npz file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from gansweep.trained.image_folder import PART, in_bytes
from gansweep.trained.pair import BATCH_SIZE, TrainedPair

SUFFIXES = (".npy", ".npz")


def write_array(
    pair: TrainedPair,
    path: Path,
    num: int,
    seed: int | None = None,
    batch_size: int = BATCH_SIZE,
    progress: Callable[[int, int], None] = lambda done, num: None,
    labels: Tensor | None = None,
) -> None:
    """Write generated samples to a new file that `data=npz` reads.

    Images are uint8 (N, H, W, C), as in `image_folder.write_images`, and other samples float32 (N, ...). In an
    .npz they are the array `images` or `samples`, and the labels of a conditional generator the array `labels`.

    Args:
        pair: the trained networks.
        path: the file. Its ending determines the format.
        num: number of samples.
        seed: of the latents; None for those of the evaluations of the cell.
        batch_size: samples per forward pass.
        progress: called with the number of samples so far, and `num`.
        labels: class of every sample (num,) of a conditional generator; None for the frequencies of the data.

    Raises:
        ValueError: the file exists, or its ending is another one.
    """
    check_file(path)
    latents, labels = pair.latents(num, seed), pair.labels_for(num, labels)
    parts, is_image = [], len(pair.sample_shape) == 3
    for first in range(0, num, batch_size):
        rows = slice(first, min(first + batch_size, num))
        samples = pair.outputs(latents[rows], batch_size, None if labels is None else labels[rows])
        parts.append((in_bytes(samples) if is_image else samples).numpy())
        progress(rows.stop, num)
    samples, part = np.concatenate(parts), path.with_name(path.name + PART)
    with part.open("wb") as file:
        if path.suffix == ".npy":
            np.save(file, samples)
        else:
            arrays: dict[str, Any] = {"images" if is_image else "samples": samples}
            if labels is not None:
                arrays["labels"] = labels.numpy()
            np.savez(file, **arrays)
    part.replace(path)


def check_file(path: Path) -> None:
    """Raise ValueError if a path is not that of a new .npy or .npz file."""
    if path.suffix not in SUFFIXES:
        raise ValueError(f"--out {path}: expected a file that ends in {' or '.join(SUFFIXES)}")
    if path.exists():
        raise ValueError(f"--out {path}: exists already; expected the path of a new file")
    if not path.parent.is_dir():
        raise ValueError(f"--out {path}: {path.parent} is not a folder")
