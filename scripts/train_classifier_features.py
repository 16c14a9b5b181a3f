"""Train the classifiers whose features `metric=digits` and `metric=mnist` use.

python scripts/train_classifier_features.py --data digits python
scripts/train_classifier_features.py --data mnist --root DIR # DIR/MNIST/raw in torchvision's layout

The weights and their description are written to src/gansweep/metrics/weights. Seeds, order and the
single thread are fixed, but other versions of torch may round differently. The metric is therefore
defined by the committed file, identified by its hash; this script documents how it was produced.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor
from torchvision.datasets import MNIST

from gansweep.metrics.classifier_features import SHIPPED, Architecture, Classifier, save


@dataclass(frozen=True)
class Task:
    """Training and test images (N, 1, H, W) in [-1, 1] with classes (N,), architecture and training settings."""

    train: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]
    architecture: Architecture
    epochs: int
    shift: int
    facts: dict[str, str] = field(default_factory=dict)


def digits() -> Task:
    """Return the task of scikit-learn's 1,797 digits; every fifth one is a test image."""
    images, classes = load_digits(return_X_y=True)
    x = torch.from_numpy(images).float().view(-1, 1, 8, 8) / 8 - 1
    y = torch.from_numpy(classes).long()
    is_test = torch.arange(len(y)) % 5 == 4
    return Task(
        (x[~is_test], y[~is_test]),
        (x[is_test], y[is_test]),
        Architecture(size=8, widths=(16, 32), kernel=3, padding=1, num_features=64),
        epochs=60,
        shift=0,
        facts={
            "data": "scikit-learn's load_digits: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits",
            "data_licence": "CC BY 4.0",
            "test_split": "index % 5 == 4",
        },
    )


def mnist(root: str) -> Task:
    """Return the task of MNIST with its official split."""

    def load(train: bool) -> tuple[Tensor, Tensor]:
        data = MNIST(root, train=train)
        return data.data[:, None].float() / 127.5 - 1, data.targets

    return Task(
        load(True),
        load(False),
        Architecture(size=28, widths=(32, 64), kernel=5, padding=0, num_features=512),
        epochs=6,
        shift=1,
        facts={
            "data": "MNIST: Y. LeCun, C. Cortes, C. J. C. Burges",
            "data_licence": "CC BY-SA 3.0",
            "test_split": "MNIST's own test set",
        },
    )


def train(task: Task, seed: int) -> Classifier:
    """Train with Adam, a one-cycle rate and random shifts of at most `shift` pixels."""
    torch.manual_seed(seed)
    classifier, (x, y), batch = Classifier(task.architecture), task.train, 128
    steps = task.epochs * (len(x) // batch)
    optimizer = torch.optim.Adam(classifier.parameters(), lr=2e-3, weight_decay=1e-5)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    padded = F.pad(x, [task.shift] * 4, value=-1.0)
    for epoch in range(task.epochs):
        for rows in torch.randperm(len(x))[: len(x) // batch * batch].view(-1, batch):
            top, left = torch.randint(2 * task.shift + 1, (2,)).tolist()
            images = padded[rows, :, top : top + x.shape[2], left : left + x.shape[3]]
            loss = F.cross_entropy(classifier(images), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch + 1}/{task.epochs}: test accuracy {accuracy(classifier, *task.test):.4f}", flush=True)
    return classifier


@torch.no_grad()
def accuracy(classifier: Classifier, images: Tensor, classes: Tensor) -> float:
    """Return the share of images whose largest logit is that of their class."""
    predicted = torch.cat([classifier(part).argmax(1) for part in images.split(500)])
    return (predicted == classes).double().mean().item()


def main() -> None:
    """Train, measure the test accuracy, and write both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=["digits", "mnist"], required=True)
    parser.add_argument("--root", help="directory of torchvision's MNIST")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=SHIPPED)
    options = parser.parse_args()
    torch.set_num_threads(1)
    task = digits() if options.data == "digits" else mnist(options.root)
    classifier = train(task, options.seed)
    facts = {
        **task.facts,
        "num_train": len(task.train[0]),
        "num_test": len(task.test[0]),
        "test_accuracy": accuracy(classifier, *task.test),
        "trained_by": f"scripts/train_classifier_features.py --data {options.data} --seed {options.seed}",
        "licence": "same as gansweep",
        "torch": torch.__version__,
        "numpy": np.__version__,
    }
    save(classifier, options.data, facts, options.output)
    print(facts)


if __name__ == "__main__":
    main()
