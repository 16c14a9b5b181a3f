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

    (found,) = reduced(lambda x: both(torch.cat(x.parts, 1) @ jacobian.T), both(start), both(scale), iterations)
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


def test_members_of_different_rank_do_not_depend_on_each_other():
    random = torch.Generator().manual_seed(0)
    jacobians = torch.randn(2, 7, 7, generator=random, dtype=torch.float64)
    start, scale = torch.randn(2, 7, generator=random, dtype=torch.float64), torch.ones(2, 7, dtype=torch.float64)
    scale[1, :2] = 0  # two entries of the second member do not move
    start[1, :2] = 0

    def both(x):
        return Both((x[:, :3],), (x[:, 3:],))

    def projections(members):
        of = jacobians[members]
        times = lambda x: both(torch.einsum("kij,kj->ki", of, torch.cat(x.parts, 1)))  # noqa: E731
        return reduced(times, both(start[members]), both(scale[members]), iterations=5)

    together = projections([0, 1])
    assert [game.num_generator for game in together] == [3, 1]
    for k, game in enumerate(together):
        (alone,) = projections([k])
        assert game.jacobian.numpy() == pytest.approx(alone.jacobian.numpy(), rel=1e-12)
    expected = np.linalg.eigvals(jacobians[1, 2:, 2:].numpy())
    assert np.sort_complex(np.linalg.eigvals(together[1].jacobian.numpy())) == pytest.approx(
        np.sort_complex(expected), rel=1e-8
    )
