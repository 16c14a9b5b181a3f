"""Labels of a data set: the class of every sample, for conditional models and metrics of single classes."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

from gansweep.interfaces import Dataset


def labels_of(data: Dataset) -> Tensor:
    """Return the class of every sample, int64 (N,), in 0 ... C - 1.

    Raises:
        ValueError: the data set has no labels, or a class has no samples.
    """
    labels = getattr(data, "labels", None)
    if labels is None:
        raise ValueError(
            f"data={data.name} has no labels; expected digits, mnist, fashion_mnist, cifar10, an npz with an array "
            "`labels`, or an image_folder with a sub-folder for each class"
        )
    if labels.dtype != torch.int64 or tuple(labels.shape) != (len(data.samples),):
        raise ValueError(
            f"data={data.name}: labels are {labels.dtype} of shape {tuple(labels.shape)}, expected one whole number "
            f"for each of its {len(data.samples)} samples"
        )
    present = labels.unique()
    if not torch.equal(present, torch.arange(len(present))):
        raise ValueError(
            f"data={data.name}: labels from {present.min()} to {present.max()} with {len(present)} different ones, "
            "expected 0, 1, 2, ... without a gap"
        )
    return labels


def num_classes_of(data: Dataset, model: object) -> int:
    """Return the number of classes C that a model gets: 0 unless it is conditional.

    Raises:
        ValueError: the model is conditional, and the data set has no labels.
    """
    return count_classes(labels_of(data)) if getattr(model, "conditional", False) else 0


def count_classes(labels: Tensor) -> int:
    """Return the number of classes of labels in 0 ... C - 1."""
    return int(labels.max()) + 1


def in_proportion(labels: Tensor, count: int) -> Tensor:
    """Return `count` labels, sorted, with the frequencies of `labels`, up to rounding.

    >>> in_proportion(torch.tensor([1, 0, 1, 1]), 8).tolist()
    [0, 0, 1, 1, 1, 1, 1, 1]
    """
    return labels.sort().values[torch.arange(count, device=labels.device) * len(labels) // count]


def balanced(num_classes: int, count: int) -> Tensor:
    """Return `count` labels, sorted, with equal numbers of all classes, up to rounding.

    >>> balanced(3, 6).tolist()
    [0, 0, 1, 1, 2, 2]
    """
    return torch.arange(count) * num_classes // count


def labels_hash(data: Dataset) -> str:
    """Return the SHA-256 of the labels of a data set."""
    return hashlib.sha256(labels_of(data).numpy().tobytes()).hexdigest()


def hash_for(data: Dataset, model: object) -> str:
    """Return the content hash of a data set, with its labels if the model is conditional."""
    if not getattr(model, "conditional", False):
        return data.content_hash
    return hashlib.sha256(f"{data.content_hash}/{labels_hash(data)}".encode()).hexdigest()
