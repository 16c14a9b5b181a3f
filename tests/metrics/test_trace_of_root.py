"""Trace of the matrix square root.

Mistakes: lost small eigenvalues, overlapping blocks, an empty triangle.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gansweep.metrics import frechet as module
from gansweep.metrics.frechet import nuclear_norm, symmetric_product, trace_of_root
from gansweep.metrics.statistics import Statistics


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def with_singular_values(values: torch.Tensor, num_columns: int) -> torch.Tensor:
    n = len(values)
    left, right = torch.linalg.qr(normal(n, n))[0], torch.linalg.qr(normal(num_columns, n, seed=1))[0]
    return left * values @ right.T


def test_two_by_two_root_of_a_product():
    # Tr sqrt(M) = sqrt(Tr M + 2 sqrt(det M))
    a, b = np.array([[2.0, 0.3], [0.3, 0.5]]), np.array([[1.0, -0.7], [-0.7, 4.0]])
    expected = math.sqrt(np.trace(a @ b) + 2 * math.sqrt(np.linalg.det(a @ b)))
    x, y = (Statistics(torch.zeros(2), torch.from_numpy(s), 9, is_root=False) for s in (a, b))
    assert trace_of_root(x, y).item() == pytest.approx(expected, 1e-12)


@pytest.mark.parametrize("decay", [0.0, -1.0, -3.0, -6.0, -12.0])
@pytest.mark.parametrize("shape", [(60, 60), (60, 90)])
def test_nuclear_norm_for_any_decay_of_the_singular_values(decay, shape):
    values = torch.arange(1, 61, dtype=torch.float64) ** decay
    c = with_singular_values(values, shape[1])
    assert nuclear_norm(c).item() == pytest.approx(values.sum().item(), rel=1e-8)
    assert nuclear_norm(c.T).item() == pytest.approx(values.sum().item(), rel=1e-8)


def test_many_small_singular_values_next_to_a_large_one(monkeypatch):
    values = torch.full((200,), 3e-9, dtype=torch.float64)
    values[0] = 1.0
    c = with_singular_values(values, 200)
    assert nuclear_norm(c).item() == pytest.approx(values.sum().item(), rel=1e-9)
    monkeypatch.setattr(module, "TOLERANCE", math.inf)
    assert nuclear_norm(c).item() != pytest.approx(values.sum().item(), rel=1e-8)


def test_orthogonal_features_give_0():
    assert nuclear_norm(torch.zeros(3, 4, dtype=torch.float64)).item() == 0


@pytest.mark.parametrize("block", [3, 4, 7, 10, 50])
def test_lower_triangle_for_every_block_size(block, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", block)
    x, y = normal(30, 10), normal(30, 10, seed=1) + 0.2
    a, b = x.T @ x, y.T @ y
    root = torch.linalg.cholesky(a).T
    torch.testing.assert_close(symmetric_product(a, b).tril(), (root @ b @ root.T).tril())


@pytest.mark.parametrize("rank", [3, 2, 1])
def test_eigenvalues_equal_those_of_the_product_for_any_rank(rank):
    factor, other = normal(rank, 3, seed=rank), normal(5, 3, seed=9)
    a, b = factor.T @ factor, other.T @ other
    eigenvalues = torch.linalg.eigvalsh(symmetric_product(a, b))
    expected = torch.linalg.eigvals(a @ b).real.sort().values
    torch.testing.assert_close(eigenvalues, expected, rtol=1e-9, atol=1e-9)


def test_number_of_threads_is_restored():
    from threadpoolctl import threadpool_info

    before = [pool["num_threads"] for pool in threadpool_info()]
    nuclear_norm(normal(5, 5))
    assert [pool["num_threads"] for pool in threadpool_info()] == before
