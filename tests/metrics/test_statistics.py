"""Mean and covariance.

Mistakes: divisor n, dependence on the batch size, growing memory, ignored NaN.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gansweep.metrics.statistics import Moments, Statistics


def collect(features: torch.Tensor, batch: int) -> Statistics:
    moments = Moments()
    for part in features.split(batch):
        moments.add(part)
    return moments.statistics()


def skewed(n: int, d: int) -> torch.Tensor:
    g = torch.Generator().manual_seed(0)
    return torch.rand(n, d, generator=g) ** 3 @ torch.randn(d, d, generator=g) + 50


@pytest.mark.parametrize(("n", "d"), [(2, 5), (40, 64), (64, 64), (1024, 3), (2600, 3), (2600, 1100)])
def test_moments_equal_those_of_numpy(n, d):
    x = skewed(n, d)
    statistics = collect(x, 100)
    assert statistics.count == n
    assert statistics.is_root == (n < d)
    np.testing.assert_allclose(statistics.mean.numpy(), x.double().numpy().mean(0), rtol=1e-13)
    covariance = np.cov(x.double().numpy(), rowvar=False)
    np.testing.assert_allclose(statistics.covariance.numpy(), covariance, atol=1e-12 * np.abs(covariance).max())
    np.testing.assert_allclose(statistics.trace.item(), np.trace(covariance), rtol=1e-12)


@pytest.mark.parametrize("n", [60, 3000])
def test_result_is_bitwise_independent_of_the_batch_size(n):
    x = skewed(n, 100)
    whole = collect(x, n)
    for batch in (1, 7, 50, 1024):
        part = collect(x, batch)
        assert torch.equal(part.mean, whole.mean)
        assert torch.equal(part.spread, whole.spread)


def test_batches_are_not_averaged_with_equal_weight():
    # 1000 = 31 * 32 + 8: the last 8 would have the weight of 32.
    x = torch.randn(1000, 2, generator=torch.Generator().manual_seed(1))
    x[-8:] += 100
    averaged = torch.stack([part.mean(0) for part in x.double().split(32)]).mean(0)
    statistics = collect(x, 32)
    assert (averaged - statistics.mean).abs().max() > 1
    torch.testing.assert_close(statistics.mean, x.double().mean(0), rtol=1e-12, atol=0)


def test_memory_does_not_grow_with_the_number_of_samples():
    moments = Moments()
    for _ in range(40):
        moments.add(torch.rand(500, 4))
        assert moments._num_waiting <= 1024
        assert sum(t.untyped_storage().nbytes() for t in moments._waiting) <= 1024 * 4 * 8


def test_batches_are_copied():
    moments, buffer = Moments(), torch.zeros(3, 2, dtype=torch.float64)
    moments.add(buffer)
    buffer.fill_(7.0)
    assert moments.statistics().mean.tolist() == [0.0, 0.0]


def test_no_cancellation_far_from_the_origin():
    x = torch.randn(3000, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    near, far = collect(x, 100), collect(x + 1e8, 100)
    torch.testing.assert_close(far.covariance, near.covariance, rtol=1e-6, atol=1e-7)


def test_too_few_or_non_finite_features():
    with pytest.raises(ValueError, match="1 samples"):
        collect(torch.rand(1, 3), 1)
    with pytest.raises(ValueError, match="not finite"):
        collect(torch.tensor([[1.0], [float("nan")]]), 2)
