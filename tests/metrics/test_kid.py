"""Kernel distance.

Mistakes: the diagonal included (biased), a kernel without 1/D, equal subsets.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from metric_fakes import Given, Pixels, uniform_images

from gansweep.metrics.kid import KernelDistance, jackknife, kernel_distance, squared_mmd


def normal(n: int, d: int, generator: torch.Generator) -> torch.Tensor:
    return torch.randn(n, d, generator=generator, dtype=torch.float64)


def test_four_points():
    x, y = torch.tensor([[0.0, 0.0], [1.0, 0.0]]), torch.tensor([[1.0, 1.0], [2.0, 1.0]])
    assert squared_mmd(x, y).item() == pytest.approx(9.9375, rel=1e-12)
    assert kernel_distance(x, y, subset_size=2) == (pytest.approx(9.9375, rel=1e-12), 0)


def test_equals_explicit_sums():
    g = torch.Generator().manual_seed(1)
    x, y = normal(4, 3, g), normal(6, 3, g) + 1

    def k(a, b):
        return (float(a @ b) / 3 + 1) ** 3

    xx = sum(k(x[i], x[j]) for i in range(4) for j in range(4) if i != j) / 12
    yy = sum(k(y[i], y[j]) for i in range(6) for j in range(6) if i != j) / 30
    xy = np.mean([k(a, b) for a in x for b in y])
    assert squared_mmd(x, y).item() == pytest.approx(xx + yy - 2 * xy, rel=1e-12)
    batch = squared_mmd(torch.stack([x, x + 1]), torch.stack([y, y]))
    assert batch.tolist() == pytest.approx([squared_mmd(x, y).item(), squared_mmd(x + 1, y).item()])


@pytest.mark.parametrize(("n", "repeats"), [(10, 1500), (50, 300)])
def test_unbiased_for_any_number_of_samples(n, repeats):
    g = torch.Generator().manual_seed(n)
    x, y = (normal(repeats * n, 5, g).view(repeats, n, 5) for _ in "xy")
    values = squared_mmd(x, y)
    assert abs(values.mean()) < 2 * values.std() / repeats**0.5


def test_subsets_are_deterministic_and_differ():
    g = torch.Generator().manual_seed(2)
    x, y = normal(200, 4, g), normal(150, 4, g) + 0.5
    mean, std = kernel_distance(x, y, num_subsets=50, subset_size=40)
    assert (mean, std) == kernel_distance(x, y, num_subsets=50, subset_size=40)
    assert std > 0
    assert mean == pytest.approx(squared_mmd(x, y).item(), rel=0.2)


def test_metric_uses_equal_numbers_of_real_and_generated_images():
    data, fake = Given(uniform_images(50, 1)), uniform_images(20, 2) * 0.3
    metric = KernelDistance(Pixels(), num_samples=20, num_subsets=10, subset_size=20)
    value, spread = metric.estimate(data, fake)
    assert metric(data, fake) == value > 0
    assert spread == pytest.approx(0, abs=1e-12)
    assert metric.name == "kid_pixels"
    assert metric.fingerprint(data)["n_real"] == 20
    assert metric.fingerprint(data)["subset_size"] == 20
    with pytest.raises(ValueError, match="num_samples=20"):
        metric(data, fake[:19])


@pytest.mark.parametrize("settings", [{"num_subsets": 0}, {"subset_size": 1}, {"num_samples": 1}])
def test_settings_out_of_range(settings):
    ((name, value),) = settings.items()
    with pytest.raises(ValueError, match=f"{name}={value}"):
        KernelDistance(Pixels(), **settings)


def test_jackknife_equals_explicit_omission_of_samples():
    g = torch.Generator().manual_seed(3)
    x, y = normal(7, 3, g), normal(5, 3, g) + 0.5
    value, error = jackknife(x, y)
    assert value == pytest.approx(squared_mmd(x, y).item(), rel=1e-12)
    variance = 0.0
    for side, without in ((x, lambda part: squared_mmd(part, y)), (y, lambda part: squared_mmd(x, part))):
        n = len(side)
        values = np.array([without(torch.cat([side[:i], side[i + 1 :]])).item() for i in range(n)])
        variance += (n - 1) / n * ((values - values.mean()) ** 2).sum()
    assert error == pytest.approx(variance**0.5, rel=1e-10)
    assert jackknife(x[:2], y)[1] is None


def test_jackknife_error_is_the_deviation_over_new_samples():
    g = torch.Generator().manual_seed(4)
    estimates = [jackknife(normal(60, 4, g), normal(60, 4, g) + 0.7) for _ in range(80)]
    values, errors = (np.array(numbers) for numbers in zip(*estimates, strict=True))
    assert errors.mean() == pytest.approx(values.std(), rel=0.3)


def test_subsets_larger_than_a_set():
    """All subsets would be equal, with deviation 0."""
    x, y = torch.zeros(30, 2), torch.zeros(20, 2)
    with pytest.raises(ValueError, match="subset_size=1000: expected at most 20"):
        kernel_distance(x, y)
    data = Given(uniform_images(50, 1))
    KernelDistance(Pixels(), num_samples=100, subset_size=50).check(data)
    for settings, most in (({"num_samples": 100}, 50), ({"num_samples": 30, "subset_size": 40}, 30)):
        with pytest.raises(ValueError, match=rf"subset_size=\d+: expected at most {most}"):
            KernelDistance(Pixels(), **settings).check(data)
