"""Fréchet distance and KID of two folders of images: python -m gansweep.metrics DIR_A DIR_B.

A folder is read as `python -m pytorch_fid` reads it, and saved statistics (.npz with mu and
sigma) may stand in its place; the FID is the same. Of statistics alone no KID can be computed.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gansweep import device
from gansweep.metrics.classifier_features import ClassifierFeatures
from gansweep.metrics.features import FeatureNetwork, features_of
from gansweep.metrics.frechet import frechet_distance
from gansweep.metrics.inception import LAST_BLOCK, InceptionFeatures
from gansweep.metrics.kid import kernel_distance
from gansweep.metrics.statistics import Moments, Statistics

SUFFIXES = {".bmp", ".jpg", ".jpeg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}


def read_folder(path: Path, mode: str, batch_size: int) -> Iterator[Tensor]:
    """Yield images (B, C, H, W) in [-1, 1] in the order of their names, in batches of one size each.

    Raises:
        ValueError: there are none.
    """
    files = sorted(file for file in path.glob("*") if file.suffix in SUFFIXES)
    if not files:
        raise ValueError(f"{path}: neither images ({', '.join(sorted(SUFFIXES))}) nor an .npz file")
    images = (np.asarray(Image.open(file).convert(mode)) for file in files)
    for _, group in groupby(images, key=np.shape):
        batch: list[np.ndarray] = []
        for image in group:
            batch.append(image)
            if len(batch) == batch_size:
                yield as_tensor(batch)
                batch = []
        if batch:
            yield as_tensor(batch)


def as_tensor(images: list[np.ndarray]) -> Tensor:
    """Stack bytes (H, W[, C]) to float32 (B, C, H, W) in [-1, 1]."""
    x = torch.from_numpy(np.stack(images)).double() / 255 * 2 - 1
    return (x.permute(0, 3, 1, 2) if x.ndim == 4 else x[:, None]).float()


def measure(path: Path, network: FeatureNetwork, mode: str, where: torch.device) -> tuple[Statistics, Tensor | None]:
    """Return the statistics of a folder or file, and of a folder the features too."""
    if path.suffix == ".npz":
        with np.load(path) as file:
            mean, covariance = (torch.from_numpy(file[name].astype(np.float64)) for name in ("mu", "sigma"))
        return Statistics(mean, covariance, 0, is_root=False), None
    moments, kept = Moments(), []
    for images in read_folder(path, mode, network.batch_size):
        kept.append(features_of(network, images, where))
        moments.add(kept[-1])
    return moments.statistics(), torch.cat(kept)


def main(arguments: list[str] | None = None) -> None:
    """Print what the two folders are apart."""
    parser = argparse.ArgumentParser("python -m gansweep.metrics", description="Distance of two folders of images.")
    parser.add_argument("paths", nargs=2, type=Path, help="folders of images, or .npz files of statistics")
    parser.add_argument("--features", choices=["inception", "digits", "mnist"], default="inception")
    parser.add_argument("--weights", help="file of Inception's weights")
    parser.add_argument("--dims", type=int, choices=list(LAST_BLOCK), default=2048, help="layer of Inception")
    parser.add_argument("--batch-size", type=int, default=50)
    parser.add_argument("--device", default="auto")
    options = parser.parse_args(arguments)
    try:
        where, mode, shape = device.resolve(options.device), "RGB", (3, 299, 299)
        if options.features == "inception":
            network = InceptionFeatures(options.weights, options.dims, options.batch_size)
        else:
            network, mode, shape = ClassifierFeatures(options.features, options.batch_size), "L", (1, 28, 28)
        network.check(shape)
        (a, x), (b, y) = (measure(path, network, mode, where) for path in options.paths)
        print(f"{network.frechet_name}: {frechet_distance(a, b):.10g}")
        if x is not None and y is not None:
            mean, std = kernel_distance(x, y)
            print(f"kid_{network.name}: {mean:.10g} +- {std:.3g}")
            print(f"images: {len(x)} and {len(y)}")
    except (OSError, KeyError, ValueError) as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
