"""Inception score: how sure a classifier is of each image and how evenly it sees the classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor

from gansweep.interfaces import Dataset
from gansweep.metrics.features import FeatureNetwork, full_precision, require_images


@runtime_checkable
class ClassifyingNetwork(FeatureNetwork, Protocol):
    """A feature network that also knows classes."""

    def probabilities(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) in [-1, 1] to p(y|x) (B, classes)."""
        ...


def inception_score(probabilities: Tensor, num_splits: int = 10) -> tuple[float, float]:
    """Mean and standard deviation of the score over consecutive splits of p(y|x) (N, classes).

        IS = exp( E_x KL( p(y|x) || p(y) ) ),   p(y) = E_x p(y|x) within the split

    Salimans et al. 2016, arXiv:1606.03498, section 4. Between 1 and the number of classes; a
    probability of 0 contributes 0. Real data do not enter, nor does collapse within a class.

    >>> round(inception_score(torch.eye(10).repeat(3, 1), 3)[0], 9)
    10.0
    """
    scores = []
    for p in probabilities.double().tensor_split(num_splits):
        entropies = torch.special.entr(p).sum(1).mean(), torch.special.entr(p.mean(0)).sum()
        scores.append((entropies[1] - entropies[0]).exp())
    found = torch.stack(scores)
    return found.mean().item(), found.std(correction=0).item()


@dataclass(frozen=True)
class InceptionScore:
    """Inception score of generated images by any network that knows classes.

    Args:
        features: the classifying network. The score carries its name.
        num_samples: generated images per evaluation.
        num_splits: parts whose scores are averaged.
    """

    features: ClassifyingNetwork
    num_samples: int = 5000
    num_splits: int = 10
    lower_is_better: ClassVar[bool] = False
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.num_splits < 1:
            raise ValueError(f"num_splits={self.num_splits}: expected at least 1")
        if self.num_samples < 2 * self.num_splits:  # one image alone scores 1 whatever it is
            least = f"2 images in each of num_splits={self.num_splits}"
            raise ValueError(f"num_samples={self.num_samples}: expected at least {2 * self.num_splits}, {least}")

    @property
    def name(self) -> str:
        """What a table calls it."""
        return f"is_{self.features.name}"

    def check(self, data: Dataset) -> None:
        """Raise ValueError if the network can't read these samples or its weights can't be had."""
        self.features.check(data.sample_shape)

    def fingerprint(self, data: Dataset) -> dict[str, Any]:
        """Name, version, network and numbers; the data do not enter the score."""
        return {
            "metric": self.name,
            "version": self.version,
            "features": self.features.fingerprint(),
            "num_splits": self.num_splits,
            "n_fake": self.num_samples,
        }

    def __call__(self, data: Dataset, fake: Tensor) -> float:
        """Score images (N, C, H, W) in [-1, 1] of one member.

        Raises:
            ValueError: their number is not `num_samples`, or values are not finite or out of range.
        """
        if len(fake) != self.num_samples:
            raise ValueError(f"{len(fake)} generated samples: {self.name} is set to num_samples={self.num_samples}")
        require_images(fake)
        with torch.no_grad(), full_precision(fake.device):
            parts = [self.features.probabilities(part.float()).cpu() for part in fake.split(self.features.batch_size)]
        return inception_score(torch.cat(parts), self.num_splits)[0]
