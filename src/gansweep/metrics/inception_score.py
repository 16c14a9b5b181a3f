"""Inception score: confidence and diversity of the predictions of a classifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor

from gansweep.interfaces import ArgumentConflict, Dataset
from gansweep.metrics.features import FeatureNetwork, full_precision, require_images, require_number


@runtime_checkable
class ClassifyingNetwork(FeatureNetwork, Protocol):
    """Feature network that also predicts class probabilities."""

    def probabilities(self, images: Tensor) -> Tensor:
        """Return the class probabilities p(y|x) (B, classes) of images (B, C, H, W) in [-1, 1]."""
        ...


def inception_score(probabilities: Tensor, num_splits: int = 10) -> tuple[float, float]:
    """Return the mean and standard deviation of the score over splits of p(y|x) (N, classes).

        IS = exp( E_x KL( p(y|x) || p(y) ) ),   p(y) = E_x p(y|x) within the split

    Salimans et al. 2016, arXiv:1606.03498, section 4. The score is between 1 and the number of classes.
    A probability of 0 contributes 0. The score does not use real data and does not detect mode collapse
    within a class.

    >>> round(inception_score(torch.eye(10).repeat(3, 1), 3)[0], 9)
    10.0
    """
    scores = []
    for p in probabilities.double().tensor_split(num_splits):
        entropies = torch.special.entr(p).sum(1).mean(), torch.special.entr(p.mean(0)).sum()
        scores.append((entropies[1] - entropies[0]).exp())
    values = torch.stack(scores)
    return values.mean().item(), values.std(correction=0).item()


@dataclass(frozen=True)
class InceptionScore:
    """Inception score of generated images, with any classifier.

    Args:
        features: the classifier, whose name is part of the name of the metric.
        num_samples: generated images per evaluation.
        num_splits: number of splits whose scores are averaged.
    """

    features: ClassifyingNetwork
    num_samples: int = 5000
    num_splits: int = 10
    lower_is_better: ClassVar[bool] = False
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.num_splits < 1:
            raise ValueError(f"num_splits={self.num_splits}: expected at least 1")
        if self.num_samples < 2 * self.num_splits:  # the score of a single image is always 1
            least = f"{2 * self.num_splits}, 2 images in each of num_splits={self.num_splits}"
            message = f"num_samples={self.num_samples}: expected at least {least}"
            raise ArgumentConflict(message, "num_samples", "num_splits")

    @property
    def name(self) -> str:
        """Name in tables and records."""
        return f"is_{self.features.name}"

    def check(self, data: Dataset) -> None:
        """Raise ValueError if the samples do not fit the network or its weights are unavailable."""
        self.features.check(data.sample_shape)

    def fingerprint(self, data: Dataset) -> dict[str, Any]:
        """Return name, version, network and numbers; the score does not depend on the data."""
        return {
            "metric": self.name,
            "version": self.version,
            "features": self.features.fingerprint(),
            "num_splits": self.num_splits,
            "n_fake": self.num_samples,
        }

    def __call__(self, data: Dataset, fake: Tensor) -> float:
        """Return the score of the images (N, C, H, W) in [-1, 1] of one member.

        Raises:
            ValueError: the number of images is not `num_samples`, or values are not finite or out of range.
        """
        require_number(self, fake)
        require_images(fake)
        with torch.no_grad(), full_precision(fake.device):
            parts = [self.features.probabilities(part.float()).cpu() for part in fake.split(self.features.batch_size)]
        return inception_score(torch.cat(parts), self.num_splits)[0]
