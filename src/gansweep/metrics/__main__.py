"""Fréchet distance and KID of two folders of images: python -m gansweep.metrics DIR_A DIR_B.

Folders are read as by `python -m pytorch_fid`, and the FID is the same. Saved statistics (.npz with
mu and sigma) are accepted in place of a folder; the KID cannot be computed from them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gansweep import device
from gansweep.console import command_name, exit_code, say
from gansweep.image_files import MODES, SUFFIXES, LeftOut, list_images, printable, read_image
from gansweep.metrics.classifier_features import ClassifierFeatures
from gansweep.metrics.features import FeatureNetwork, features_of
from gansweep.metrics.frechet import frechet_distance
from gansweep.metrics.inception import LAST_BLOCK, InceptionFeatures
from gansweep.metrics.kid import jackknife, kernel_distance
from gansweep.metrics.statistics import Moments, Statistics, load_statistics
from gansweep.user_path import user_path

NUM_SUBSETS, SUBSET_SIZE = 100, 1000  # of the KID; with fewer images than 2 * SUBSET_SIZE, all images are used
CHANNELS = {mode: channels for channels, mode in MODES.items()}


def measure(path: Path, network: FeatureNetwork, mode: str, where: torch.device) -> tuple[Statistics, Tensor | None]:
    """Return the statistics of a folder and its features (N, D), or the statistics of a file and None.

    Args:
        path: folder of images, or .npz file of saved statistics.
        network: the feature network.
        mode: colour mode in which images are read, "RGB" or "L".
        where: device of the network.

    Raises:
        ValueError: the folder has fewer than two images.
    """
    if path.suffix == ".npz":
        return load_statistics(path), None
    if len(image_files(path, LeftOut())) < 2:
        raise ValueError(f"{path}: one image has no covariance, expected at least 2")
    moments, features, left_out = Moments(), [], LeftOut()
    for images in read_folder(path, mode, network.batch_size, left_out):
        features.append(features_of(network, images, where))
        moments.add(features[-1])
    if str(left_out):
        sys.stderr.write(f"{path}: {left_out}\n")
    return moments.statistics(), torch.cat(features)


def arguments_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        command_name("metrics"),
        description="Fréchet distance and KID of two folders of images. With --features inception the first is the "
        "FID that `python -m pytorch_fid` prints. Only images directly in a folder are read; sizes may differ.",
        epilog="Distances are comparable only with equal features and equal numbers of images, see docs/metrics.md.",
    )
    parser.add_argument(
        "paths",
        nargs=2,
        type=user_path,
        metavar="PATH",
        help="folder of images, or .npz file of pytorch-fid's statistics",
    )
    parser.add_argument(
        "--features",
        choices=["inception", "digits", "mnist"],
        default="inception",
        help="network: Inception for colour images, or a classifier of grey digits (default: %(default)s)",
    )
    parser.add_argument(
        "--weights", help="file of Inception's weights (default: torch's cache, or a download of 91 MB)"
    )
    parser.add_argument(
        "--dims", type=int, choices=list(LAST_BLOCK), help="layer of Inception (default: 2048, the FID)"
    )
    parser.add_argument("--batch-size", type=int, default=50, help="images per pass (default: %(default)s)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Print the distances of the two folders and return the exit code."""
    parser = arguments_parser()
    options = parser.parse_args(arguments)
    if options.features != "inception" and (options.weights or options.dims):
        parser.error(f"--weights and --dims apply to --features inception only, got --features {options.features}")
    return exit_code(lambda: _compare(options))


def _compare(options: argparse.Namespace) -> None:
    where, mode, shape = device.resolve(options.device), "RGB", (3, 299, 299)
    if options.features == "inception":
        network = InceptionFeatures(options.weights, options.dims or 2048, options.batch_size)
    else:
        network, mode, shape = ClassifierFeatures(options.features, options.batch_size), "L", (1, 28, 28)
    network.check(shape)
    (a, x), (b, y) = (measure(path, network, mode, where) for path in options.paths)
    say(f"{network.frechet_name}: {frechet_distance(a, b):.10g}")
    if x is not None and y is not None:
        say(f"kid_{network.name}: {_kernel_distance(x, y)}")
        say(f"images: {len(x)} and {len(y)}")


def _kernel_distance(x: Tensor, y: Tensor) -> str:
    """Return the kernel distance of features (N, D) and (M, D) as text, with its error."""
    if min(len(x), len(y)) >= 2 * SUBSET_SIZE:
        mean, std = kernel_distance(x, y, NUM_SUBSETS, SUBSET_SIZE)
        return f"{mean:.10g} +- {std:.3g} (standard deviation over {NUM_SUBSETS} subsets of {SUBSET_SIZE})"
    value, error = jackknife(x, y)
    if error is None:
        return f"{value:.10g} (of all images; its standard error needs 3 images in each folder)"
    return f"{value:.10g} +- {error:.3g} (of all images, jackknife standard error)"


def image_files(path: Path, left_out: LeftOut) -> list[Path]:
    """Return the images of a folder, sorted by name; `left_out` collects all other files.

    Raises:
        ValueError: there is no such folder, or it contains no images.
    """
    if not path.is_dir():
        raise ValueError(
            f"{path}: {'not a folder' if path.exists() else 'no such folder'}, expected one or an .npz file"
        )
    images = sorted(list_images(path, left_out, recursive=False, any_case=False))
    if not images:
        skipped = f"; {left_out}" if str(left_out) else ""
        raise ValueError(f"{path}: no images ({', '.join(SUFFIXES)}, in lower case){skipped}")
    return images


def read_folder(path: Path, mode: str, batch_size: int, left_out: LeftOut | None = None) -> Iterator[Tensor]:
    """Yield batches of images (B, C, H, W) in [-1, 1] of equal size, sorted by name.

    Args:
        path: the folder. Subfolders are not read.
        mode: colour mode to which images are converted, `RGB` or `L`; transparency is dropped.
        batch_size: maximum of B.
        left_out: collects skipped files and ignored file contents.

    Raises:
        ValueError: there are no images, or one cannot be read.
    """
    counted = LeftOut() if left_out is None else left_out

    def pixels(file: Path) -> np.ndarray:
        picture = read_image(file, CHANNELS[mode])
        for kind in picture.left_out:
            counted.add(kind, printable(file.name))
        return picture.pixels

    for _, group in groupby(map(pixels, image_files(path, counted)), key=np.shape):
        batch: list[np.ndarray] = []
        for image in group:
            batch.append(image)
            if len(batch) == batch_size:
                yield as_tensor(batch)
                batch = []
        if batch:
            yield as_tensor(batch)


def as_tensor(images: list[np.ndarray]) -> Tensor:
    """Return images (H, W, C) in 0 ... 255 as one float32 tensor (B, C, H, W) in [-1, 1]."""
    x = torch.from_numpy(np.stack(images)).double() / 255 * 2 - 1
    return x.permute(0, 3, 1, 2).float()


if __name__ == "__main__":
    sys.exit(main())
