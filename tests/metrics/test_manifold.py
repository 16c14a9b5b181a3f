"""Precision, recall, density, coverage.

Mistakes: sets exchanged, a sample as its own neighbour, density not / k.
"""

from __future__ import annotations

import pytest
import torch
from metric_fakes import Given, Pixels, uniform_images

from gansweep.metrics.manifold import ManifoldShare, manifold_shares


def by_loops(real, fake, k):
    """Compute the quantities by loops."""

    def radius(x, i):
        return sorted((x[i] - other).norm().item() for j, other in enumerate(x) if j != i)[k - 1]

    n, m = len(real), len(fake)
    in_real = [[(real[i] - fake[j]).norm().item() < radius(real, i) for j in range(m)] for i in range(n)]
    in_fake = [[(real[i] - fake[j]).norm().item() < radius(fake, j) for j in range(m)] for i in range(n)]
    return {
        "precision": sum(any(row[j] for row in in_real) for j in range(m)) / m,
        "recall": sum(any(row) for row in in_fake) / n,
        "density": sum(map(sum, in_real)) / (k * m),
        "coverage": sum(any(row) for row in in_real) / n,
    }


@pytest.mark.parametrize("k", [1, 3])
def test_equal_explicit_counts(k):
    g = torch.Generator().manual_seed(k)
    real = torch.randn(25, 2, generator=g, dtype=torch.float64)
    fake = torch.randn(20, 2, generator=g, dtype=torch.float64) * 0.5 + 0.3
    shares = manifold_shares(real, fake, k)
    assert shares == pytest.approx(by_loops(real, fake, k))
    assert len({round(v, 6) for v in shares.values()}) >= 3


def test_collapse_reduces_recall_and_coverage_but_not_precision():
    g = torch.Generator().manual_seed(0)
    real = torch.randn(300, 2, generator=g, dtype=torch.float64)
    shares = manifold_shares(real, real[:1] * 0 + 1e-3 * torch.randn(300, 2, generator=g, dtype=torch.float64))
    assert shares["precision"] == 1
    assert shares["density"] > 1
    assert shares["recall"] < 0.02
    assert shares["coverage"] < 0.1


def test_metric_returns_the_chosen_quantity():
    data, fake = Given(uniform_images(60, 1)), uniform_images(60, 2) * 0.6
    values = {}
    for quantity in ("precision", "recall", "density", "coverage"):
        metric = ManifoldShare(Pixels(), 60, quantity, k=3)
        values[quantity] = metric(data, fake)
        assert metric.name == f"{quantity}_pixels"
        assert metric.fingerprint(data)["k"] == 3
    assert values["precision"] > values["recall"]


@pytest.mark.parametrize("settings", [{"quantity": "f1"}, {"k": 0}, {"k": 50, "num_samples": 50}])
def test_settings_out_of_range(settings):
    (name, value), *_ = settings.items()
    with pytest.raises(ValueError, match=f"{name}={value}"):
        ManifoldShare(Pixels(), **settings)
    with pytest.raises(ValueError, match="k=9"):
        manifold_shares(torch.rand(9, 2), torch.rand(20, 2), 9)


def test_check_of_a_data_set_without_a_kth_neighbour():
    ManifoldShare(Pixels(), num_samples=100, k=59).check(Given(uniform_images(60, 1)))
    with pytest.raises(ValueError, match="k=60: expected at most 59"):
        ManifoldShare(Pixels(), num_samples=100, k=60).check(Given(uniform_images(60, 1)))
