"""Fréchet distance.

Mistakes: elementwise or complex square root, singular covariances, wrong data.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from metric_fakes import Given, Pixels, uniform_images
from scipy import linalg

from gansweep.metrics import cache
from gansweep.metrics.classifier_features import ClassifierFeatures
from gansweep.metrics.frechet import FrechetDistance, frechet_distance, trace_of_root
from gansweep.metrics.statistics import Statistics, moments_of


def gaussian(mean, covariance) -> Statistics:
    return Statistics(
        torch.as_tensor(mean, dtype=torch.float64), torch.as_tensor(covariance, dtype=torch.float64), 100, is_root=False
    )


def decaying(n: int, d: int, seed: int) -> torch.Tensor:
    g = torch.Generator().manual_seed(seed)
    basis = torch.linalg.qr(torch.randn(d, d, generator=g, dtype=torch.float64))[0]
    scale = torch.arange(1, d + 1, dtype=torch.float64) ** -1.0
    return torch.randn(n, d, generator=g, dtype=torch.float64) * scale @ basis + 0.01 * seed


def test_shifted_unit_gaussians():
    eye = np.eye(2048)
    assert frechet_distance(gaussian(np.zeros(2048), eye), gaussian(np.ones(2048), eye)) == pytest.approx(2048, 1e-12)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (gaussian([1], [[4]]), gaussian([3], [[9]]), 5),
        (gaussian([0, 0, 0], np.diag([1, 4, 9])), gaussian([0, 0, 0], np.diag([4, 4, 1])), 5),
        (gaussian([0, 0], np.diag([3, 7])), gaussian([0, 0], np.diag([6, 14])), 10 * (1 - math.sqrt(2)) ** 2),
        (gaussian([0, 0], [[2, 1], [1, 2]]), gaussian([0, 0], np.diag([3, 1])), 0.5166852265),
        (gaussian([1, -2], [[2, 1], [1, 2]]), gaussian([0, 0], np.diag([3, 1])), 5.5166852265),
    ],
    ids=["one dimension", "diagonal", "doubled", "not commuting", "not commuting, apart"],
)
def test_closed_forms(a, b, expected):
    assert frechet_distance(a, b) == pytest.approx(expected, 1e-9)
    assert frechet_distance(b, a) == pytest.approx(expected, 1e-9)


@pytest.mark.parametrize(("n", "m"), [(300, 250), (300, 60), (60, 300), (60, 45)], ids=["SS", "SR", "RS", "RR"])
def test_trace_is_the_same_for_roots_and_covariances(n, m):
    x, y = decaying(n, 100, 1), decaying(m, 100, 2)
    a, b = moments_of(x), moments_of(y)
    whole = [Statistics(s.mean, s.covariance, s.count, is_root=False) for s in (a, b)]
    assert a.is_root == (n < 100)
    assert b.is_root == (m < 100)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(*whole), rel=1e-7)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-8)
    root = linalg.sqrtm(a.covariance.numpy() @ b.covariance.numpy())
    assert trace_of_root(a, b).item() == pytest.approx(np.trace(root).real, rel=1e-6)


@pytest.mark.parametrize("n", [30, 300])
def test_distance_of_features_to_themselves_is_0(n):
    a = moments_of(decaying(n, 100, 1))
    assert abs(frechet_distance(a, a)) < 1e-6 * a.trace


@pytest.mark.parametrize("n", [30, 300])
def test_distance_to_constant_features(n):
    real, c = decaying(n, 100, 1), torch.linspace(-1, 2, 100, dtype=torch.float64)
    a = moments_of(real)
    expected = ((a.mean - c).square().sum() + a.trace).item()
    for m in (50, 200):
        assert frechet_distance(a, moments_of(c.expand(m, 100))) == pytest.approx(expected, 1e-12)


def test_bias_of_the_estimate():
    # (2 d + d (d + 1) / 2) / n for two samples of one standard Gaussian, docs/metrics.md.
    d, n, g = 64, 2000, torch.Generator().manual_seed(3)
    values = [frechet_distance(*(moments_of(torch.randn(n, d, generator=g)) for _ in "ab")) for _ in range(4)]
    assert np.mean(values) == pytest.approx((2 * d + d * (d + 1) / 2) / n, rel=0.03)


def test_features_of_different_length():
    with pytest.raises(ValueError, match="length 1 and 2"):
        frechet_distance(gaussian([0], [[1]]), gaussian([0, 0], np.eye(2)))


def test_metric_uses_all_real_samples():
    data, fake = Given(uniform_images(50, 1)), uniform_images(20, 2)
    expected = frechet_distance(moments_of(data.samples.flatten(1)), moments_of(fake.flatten(1)))
    metric = FrechetDistance(Pixels(), num_samples=20)
    assert metric(data, fake) == expected
    assert metric(data, fake[torch.randperm(20)]) == pytest.approx(expected, rel=1e-8)
    assert FrechetDistance(Pixels(batch_size=1), 20)(data, fake) == expected
    assert metric.name == "fd_pixels"
    assert metric.fingerprint(data)["n_real"] == 50
    assert metric.fingerprint(data)["n_fake"] == 20


def test_each_gives_the_values_of_single_calls():
    data, fakes = Given(uniform_images(50, 1)), [uniform_images(20, seed) * seed / 4 for seed in (2, 3, 4)]
    metric = FrechetDistance(Pixels(), num_samples=20)
    Pixels.read[0] = 0
    together = metric.each(data, fakes)
    assert Pixels.read[0] == 50 + 3 * 20
    assert together == [metric(data, fake) for fake in fakes]


def test_each_is_bitwise_equal_to_single_calls_with_a_network():
    data, fakes = Given(uniform_images(60, 1, (1, 8, 8))), [uniform_images(33, n, (1, 8, 8)) * n / 4 for n in (2, 3, 4)]
    metric = FrechetDistance(ClassifierFeatures("digits", batch_size=20), num_samples=33)
    alone = [metric(data, fake) for fake in fakes]
    assert metric.each(data, fakes) == alone
    assert metric.each(data, fakes[::-1]) == alone[::-1]


@pytest.mark.parametrize("batch", [1, 7, 50])
def test_batch_size_affects_only_the_last_digits_of_float32(batch):
    data, fake = Given(uniform_images(90, 1, (1, 8, 8))), uniform_images(80, 2, (1, 8, 8)) * 0.8
    whole = FrechetDistance(ClassifierFeatures("digits", 80), 80)(data, fake)
    cache.forget()
    for path in cache.folder().glob("*.npz"):
        path.unlink()
    assert FrechetDistance(ClassifierFeatures("digits", batch), 80)(data, fake) == pytest.approx(whole, rel=1e-6)


def test_wrong_number_of_samples():
    with pytest.raises(ValueError, match="num_samples=20"):
        FrechetDistance(Pixels(), 20)(Given(uniform_images(50, 1)), uniform_images(19, 2))


@pytest.mark.parametrize("n", [1, 0, -3])
def test_too_few_samples(n):
    with pytest.raises(ValueError, match=f"num_samples={n}"):
        FrechetDistance(Pixels(), n)


@pytest.mark.parametrize(
    ("corrupt", "message"),
    [
        (lambda x: x * 1.5, r"\[-1\.4.*, 1\.4.*\]: expected \[-1, 1\]"),
        (lambda x: x.clone().index_fill(0, torch.tensor(3), math.nan), "not finite"),
        (lambda x: x.clone().index_fill(0, torch.tensor(3), math.inf), "not finite"),
    ],
)
def test_invalid_images(corrupt, message):
    with pytest.raises(ValueError, match=message):
        FrechetDistance(Pixels(), 20)(Given(uniform_images(50, 1)), corrupt(uniform_images(20, 2)))


def test_real_statistics_are_computed_once():
    data, fake, metric = Given(uniform_images(50, 1)), uniform_images(20, 2), FrechetDistance(Pixels(), 20)
    first, Pixels.read[0] = metric(data, fake), 0
    assert metric(data, fake) == first
    assert Pixels.read[0] == 20


def test_cache_depends_on_data_and_network():
    data, fake = Given(uniform_images(50, 1)), uniform_images(20, 2)
    FrechetDistance(Pixels(), 20)(data, fake)
    Pixels.read[0] = 0
    other = Given(uniform_images(50, 9))
    assert FrechetDistance(Pixels(), 20)(other, fake) != FrechetDistance(Pixels(), 20)(data, fake)
    FrechetDistance(Pixels(version=2), 20)(data, fake)
    assert Pixels.read[0] == (50 + 20) + 20 + (50 + 20)


def test_floor_is_deterministic_and_decreases_with_n():
    data = Given(uniform_images(400, 1))
    small, large = (FrechetDistance(Pixels(), n).floor(data) for n in (20, 200))
    assert small is not None
    assert large is not None
    assert 0 < large < small
    assert large < 0.1 * FrechetDistance(Pixels(), 200)(data, uniform_images(200, 2) * 0.2)
    assert FrechetDistance(Pixels(), 200).floor(data) == large


def test_floor_needs_four_samples():
    assert FrechetDistance(Pixels(), 20).floor(Given(uniform_images(3, 1))) is None


def test_features_do_not_depend_on_the_training_precision():
    seen = []

    class Spy(Pixels):
        def __call__(self, images):
            seen.append((torch.backends.cuda.matmul.fp32_precision, (images.flatten(1) @ torch.eye(4)).dtype))
            return images.flatten(1)

    before = torch.backends.cuda.matmul.fp32_precision
    torch.backends.cuda.matmul.fp32_precision = "tf32"
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            FrechetDistance(Spy(), 20)(Given(uniform_images(50, 1)), uniform_images(20, 2))
        assert torch.backends.cuda.matmul.fp32_precision == "tf32"
    finally:
        torch.backends.cuda.matmul.fp32_precision = before
    assert set(seen) == {("ieee", torch.float32)}
