"""Projection of the preconditioned Jacobian."""

import numpy as np
import pytest
import torch

from gansweep.dynamics.position import Both
from gansweep.edge.reduced_game import reduced


def projected(n_g, n_d, iterations, seed=0):
    random = torch.Generator().manual_seed(seed)
    n = n_g + n_d
    jacobian = torch.randn(n, n, generator=random, dtype=torch.float64)
    jacobian[0, 0] += 40  # an eigenvalue apart from the others
    scale = torch.rand(1, n, generator=random, dtype=torch.float64) + 0.5
    start = torch.randn(1, n, generator=random, dtype=torch.float64)

    def both(x):
        return Both((x[:, :n_g],), (x[:, n_g:],))

    found = reduced(lambda x: both(torch.cat(x.parts, 1) @ jacobian.T), both(start), both(scale), iterations)
    root = scale.sqrt()
    return found, (root.T * jacobian * root).numpy()


def test_with_all_iterations_the_eigenvalues_are_those_of_the_preconditioned_jacobian():
    found, expected = projected(4, 6, iterations=10)
    assert found.num_generator == 4
    values, reference = (np.sort_complex(np.linalg.eigvals(m)) for m in (found.jacobian.numpy(), expected))
    assert values == pytest.approx(reference, rel=1e-8)


def test_the_leading_eigenvalue_is_found_first():
    found, expected = projected(60, 80, iterations=12)
    assert found.jacobian.shape == (24, 24)
    leading = [np.abs(np.linalg.eigvals(matrix)).max() for matrix in (found.jacobian.numpy(), expected)]
    assert leading[0] == pytest.approx(leading[1], rel=0.01)


def test_the_blocks_belong_to_the_players():
    found, expected = projected(3, 5, iterations=8)
    n = found.num_generator
    own = [np.linalg.eigvals(matrix[:n, :n]) for matrix in (found.jacobian.numpy(), expected)]
    assert np.sort_complex(own[0]) == pytest.approx(np.sort_complex(own[1]), rel=1e-8)
