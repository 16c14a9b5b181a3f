"""Fréchet distance of two Gaussians fitted to features; with Inception features it is the FID."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from gansweep.interfaces import Dataset
from gansweep.metrics import cache
from gansweep.metrics.features import (
    FeatureNetwork,
    features_of,
    reference_statistics,
    require_number,
    require_two,
    statistics_of,
)
from gansweep.metrics.statistics import Statistics, moments_of
from gansweep.seeding import Streams

BLOCK = 256  # rows per block: small enough to skip most zeros, large enough for full speed
TOLERANCE = 1e-8


def frechet_distance(a: Statistics, b: Statistics) -> float:
    """Return the Fréchet distance: the squared 2-Wasserstein distance of N(mu_a, S_a) and N(mu_b, S_b).

        || mu_a - mu_b ||^2 + Tr S_a + Tr S_b - 2 Tr (S_a S_b)^1/2

    Heusel et al. 2017, arXiv:1706.08500, eq. 6. Rounding errors can make it slightly negative.

    >>> a = Statistics(torch.tensor([1.0]), torch.tensor([[4.0]]), 100, is_root=False)
    >>> b = Statistics(torch.tensor([3.0]), torch.tensor([[9.0]]), 100, is_root=False)
    >>> frechet_distance(a, b)
    5.0

    Raises:
        ValueError: the features have different lengths.
    """
    if a.mean.shape != b.mean.shape:
        raise ValueError(f"features of length {len(a.mean)} and {len(b.mean)} cannot be compared")
    shift = (a.mean - b.mean).square().sum()
    return (shift + a.trace + b.trace - 2 * trace_of_root(a, b)).item()


@dataclass(frozen=True)
class FrechetDistance:
    """Fréchet distance between generated images and a data set.

    The estimate has a positive bias of order 1/n, which differs between generators. Values are
    comparable only with the same `num_samples` and the same features, both of which are part of the
    fingerprint. Compare values with `floor`, the distance of real to real images.

    Args:
        features: the feature network, which determines the name of the metric.
        num_samples: generated images per evaluation.
        num_real: number of real images, drawn once with a fixed seed; null for all.
        with_replacement: draw the real images with replacement, as in the EPFL study of optimizers.
    """

    features: FeatureNetwork
    num_samples: int = 10_000
    num_real: int | None = None
    with_replacement: bool = True
    lower_is_better: ClassVar[bool] = True
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.num_samples < 2:
            raise ValueError(f"num_samples={self.num_samples}: a covariance needs at least 2")
        if self.num_real is not None and self.num_real < 2:
            raise ValueError(f"num_real={self.num_real}: a covariance needs at least 2, null takes all")

    @property
    def name(self) -> str:
        """Name in tables and records: `fid_inception`, `fd_digits`, ..."""
        return self.features.frechet_name

    def check(self, data: Dataset) -> None:
        """Raise ValueError if samples do not fit or are too few, or weights are unavailable."""
        self.features.check(data.sample_shape)
        require_two(self.name, data)
        if self.num_real is not None and not self.with_replacement and self.num_real > len(data.samples):
            most = len(data.samples)
            raise ValueError(f"num_real={self.num_real}: expected at most {most}, all that there are, or replacement")

    def fingerprint(self, data: Dataset) -> dict[str, Any]:
        """Return name, version, feature network, data and both numbers of samples."""
        return {
            "metric": self.name,
            "version": self.version,
            "features": self.features.fingerprint(),
            "data": data.content_hash,
            "n_real": self.num_real or len(data.samples),
            "drawn_with_replacement": self.num_real is not None and self.with_replacement,
            "n_fake": self.num_samples,
        }

    def __call__(self, data: Dataset, fake: Tensor) -> float:
        """Return the distance of the images (N, C, H, W) in [-1, 1] of one member.

        Raises:
            ValueError: the number of images is not `num_samples`, or values are not finite or out of range.
        """
        return self.each(data, [fake])[0]

    def each(self, data: Dataset, fakes: Sequence[Tensor]) -> list[float]:
        """Return the distance of each member; they share the statistics of the real images."""
        for fake in fakes:
            require_number(self, fake)
        reference = reference_statistics(self.features, data, fakes[0].device, self.num_real, self.with_replacement)
        return [frechet_distance(reference, statistics_of(self.features, fake)) for fake in fakes]

    def floor(self, data: Dataset, num_splits: int = 4) -> float | None:
        """Return the distance of real to real images, an estimate of the value of a perfect generator.

        It is the mean over `num_splits` random divisions. In each, min(num_samples, N // 2) images replace
        the generated images, and the others are the reference. None if there are fewer than 4 images.
        """
        num_real = len(data.samples)
        if num_real < 4:
            return None

        def mean() -> float:
            return (
                sum(split_distances(features_of(self.features, data.samples), self.num_samples, num_splits))
                / num_splits
            )

        return cache.value({"floor": self.fingerprint(data), "num_splits": num_splits}, mean)


def split_distances(features: Tensor, num_fake: int, num_splits: int) -> list[float]:
    """Return the distance of min(num_fake, N // 2) of the features (N, D) to the others, for each random division."""
    num_fake, values = min(num_fake, len(features) // 2), []
    for split in range(num_splits):
        order = torch.randperm(len(features), generator=Streams(split)["floor"])
        values.append(frechet_distance(*(moments_of(features[part]) for part in order.tensor_split([num_fake]))))
    return values


def trace_of_root(a: Statistics, b: Statistics) -> Tensor:
    """Return Tr (S_a S_b)^1/2, computed without the square root of a non-symmetric matrix.

    With roots S = R^T R, the eigenvalues of S_a S_b are the squared singular values of R_a R_b^T. The
    trace is therefore the nuclear norm of R_a R_b^T, an N x N problem if there are fewer samples than
    dimensions. If only one root R is available, the eigenvalues are those of R S R^T. If neither is, a
    root of S_a is computed. The eigenvalues are real and not negative; they are clipped at 0 because
    rounding can make zeros slightly negative.
    """
    if a.is_root and b.is_root:
        return nuclear_norm(a.spread @ b.spread.T)
    if b.is_root:
        a, b = b, a
    product = a.spread @ b.spread @ a.spread.T if a.is_root else symmetric_product(a.spread, b.spread)
    return torch.linalg.eigvalsh(product).clamp(min=0).sqrt().sum()


def nuclear_norm(matrix: Tensor) -> Tensor:
    """Return the nuclear norm, the sum of the singular values, to a relative 1e-8.

        || C ||_* = sum_i sqrt(l_i),   l_i the eigenvalues of C C^T

    Eigenvalues take half the time of singular values. Their error is a few times eps l_max, so the
    error of a small root s is at most d / max(s, sqrt(d)), d = 4 eps l_max. If the sum of these
    bounds exceeds the tolerance, the singular values are computed instead.
    """
    # numpy's eigenvalues take half the time of torch's if the two use different libraries.
    c = matrix.numpy() if len(matrix) <= matrix.shape[1] else matrix.numpy().T
    with threadpool_limits(torch.get_num_threads(), "blas"):
        squares = np.linalg.eigvalsh(c @ c.T).clip(0)
    roots, error = np.sqrt(squares), 4 * np.finfo(np.float64).eps * squares.max()
    if error and (error / np.maximum(roots, np.sqrt(error))).sum() > TOLERANCE * roots.sum():
        return torch.linalg.matrix_norm(matrix, "nuc")
    return torch.tensor(roots.sum())


def symmetric_product(a: Tensor, b: Tensor) -> Tensor:
    """Return R S_b R^T (D, D), which has the eigenvalues of S_a S_b; only its lower triangle is filled.

    R is the Cholesky factor of S_a, ten times cheaper than S_a^1/2. It is triangular, and skipping its
    zeros saves three fifths of the product. If S_a is rank-deficient, S_a^1/2 is used instead.

    Args:
        a: S_a (D, D), symmetric and positive semidefinite.
        b: S_b (D, D), symmetric and positive semidefinite.
    """
    lower, failed = torch.linalg.cholesky_ex(a)
    if failed:
        values, vectors = torch.linalg.eigh(a)
        root = vectors * values.clamp(min=0).sqrt() @ vectors.T
        return root @ b @ root
    root, half, product = lower.T.contiguous(), torch.empty_like(b), torch.zeros_like(b)
    starts = range(0, len(b), BLOCK)
    for i in starts:
        torch.mm(root[i : i + BLOCK, i:], b[i:], out=half[i : i + BLOCK])
    for j in starts:
        product[j:, j : j + BLOCK] = half[j:, j:] @ root[j : j + BLOCK, j:].T
    return product
