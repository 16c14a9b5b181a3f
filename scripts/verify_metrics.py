"""Values of the metrics for samples of known quality: the tables of docs/metrics.md.

python scripts/verify_metrics.py --data digits toys --output docs/records/metrics_digits.json
python scripts/verify_metrics.py --data mnist --root DIR --output docs/records/metrics_mnist.json

DIR contains MNIST/raw in torchvision's layout.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gansweep.data.circle import Circle
from gansweep.data.digits import Digits
from gansweep.data.four_lines import FourLines
from gansweep.data.grid import Grid
from gansweep.data.line import Line
from gansweep.data.mnist import MNIST
from gansweep.data.ring import Ring
from gansweep.data.swiss_roll import SwissRoll
from gansweep.metrics.classifier_features import ClassifierFeatures
from gansweep.metrics.degenerate import degenerate
from gansweep.metrics.features import features_of, reference_features
from gansweep.metrics.frechet import FrechetDistance
from gansweep.metrics.inception_score import InceptionScore
from gansweep.metrics.kid import KernelDistance
from gansweep.metrics.manifold import manifold_shares
from gansweep.metrics.mode_coverage import ModeCoverage
from gansweep.metrics.sliced_wasserstein1 import SlicedWasserstein1
from gansweep.metrics.wasserstein1 import Wasserstein1
from gansweep.seeding import Streams

MANIFOLD_SAMPLES = 1000  # real and generated images for precision, recall, density and coverage

Row = dict[str, Any]


def corrupted(samples: Tensor, count: int) -> dict[str, Tensor]:
    """Return `count` real images (N, 1, H, W) by name, with increasing corruption."""
    g = Streams(0)["verification"]
    x = samples[torch.randperm(len(samples), generator=g)[:count]]
    noise = torch.randn(x.shape, generator=g)
    return {
        "real, drawn from the reference": x,
        "real, with noise of std 0.1": (x + 0.1 * noise).clamp(-1, 1),
        "real, blurred 3x3": F.avg_pool2d(x, 3, 1, 1, count_include_pad=False),
        "uniform noise": torch.rand(x.shape, generator=g) * 2 - 1,
        "constant -1": -torch.ones_like(x),
    }


def measure(data: Any, network: ClassifierFeatures, count: int, images_by_name: Mapping[str, Tensor]) -> dict[str, Row]:
    """Return the metrics of the floor, of the given images, and of `count` corrupted ones by name."""
    rows: dict[str, Row] = {
        "floor": {"images": count, network.frechet_name: FrechetDistance(network, count).floor(data)}
    }
    for name, images in {**images_by_name, **corrupted(data.samples, count)}.items():
        num_compared = min(MANIFOLD_SAMPLES, len(images))
        real = reference_features(network, data, num_compared, images.device)
        rows[name] = {
            "images": len(images),
            network.frechet_name: FrechetDistance(network, len(images))(data, images),
            "kid": KernelDistance(network, len(images), subset_size=min(1000, len(images)))(data, images),
            "is": InceptionScore(network, len(images))(data, images),
            **manifold_shares(real.double(), features_of(network, images[:num_compared]).double()),
            "degenerate": degenerate(images),
        }
    return rows


def digits(root: str) -> dict[str, Row]:
    """Return the rows of scikit-learn's digits with the digits classifier."""
    return measure(Digits(), ClassifierFeatures("digits"), 898, {})


def mnist(root: str) -> dict[str, Row]:
    """Return the rows of MNIST: training images as the reference, test images as a perfect generator."""
    test = MNIST(root, "test").samples
    return measure(MNIST(root), ClassifierFeatures("mnist", batch_size=100), 5000, {"MNIST's test set": test})


def toys(root: str) -> dict[str, Row]:
    """Return the floors of the point metrics, and the mode coverage of real points."""
    gaussian = {"gaussian": points(Ring(num_modes=1, radius=0.0, std=1.0))}
    mixtures = {toy.name: points(toy) | modes(toy) for toy in (Ring(), Grid())}
    return gaussian | mixtures | {toy.name: points(toy) for toy in (Line(), Circle(), FourLines(), SwissRoll())}


def points(data: Any) -> Row:
    """Return the floors of both distances at their default numbers of points."""
    return {"w1": Wasserstein1().floor(data), "sliced_w1": SlicedWasserstein1().floor(data)}


def modes(data: Any) -> Row:
    """Return the mode coverage of real points."""
    counts = (ModeCoverage(), ModeCoverage(quantity="share"))
    return {metric.name: metric(data, data.samples[: metric.num_samples]) for metric in counts}


def table(rows: Mapping[str, Row]) -> str:
    """Return rows as a Markdown table."""
    columns = list(dict.fromkeys(name for row in rows.values() for name in row))
    lines = [["", *columns], ["---"] * (len(columns) + 1)]
    for name, row in rows.items():
        cells = [row.get(column) for column in columns]
        lines.append([name, *("" if c is None else f"{c:.4g}" if isinstance(c, float) else str(c) for c in cells)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


TABLES: Mapping[str, Callable[[str], dict[str, Row]]] = {"digits": digits, "mnist": mnist, "toys": toys}


def main() -> None:
    """Print the tables and write their values to --output."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", choices=list(TABLES), default=["digits", "toys"])
    parser.add_argument("--root", default="data")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    results = {name: TABLES[name](options.root) for name in options.data}
    for name, rows in results.items():
        print(f"{name}\n\n{table(rows)}\n")
    if options.output:
        record = {"machine": platform.machine(), "torch": torch.__version__, "tables": results}
        options.output.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
