"""Products with the Jacobian, and the solver of competitive gradient descent."""

from __future__ import annotations

from dataclasses import replace

import torch
from tests.training.small import member

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.pack import PackSettings
from gansweep.dynamics.competitive import solve
from gansweep.dynamics.position import Both
from gansweep.dynamics.simultaneous import Simultaneous
from gansweep.losses.objective import Objective
from gansweep.losses.standard import Standard
from gansweep.models.mlp import MLP
from gansweep.optimizers.sgd import SGD
from gansweep.penalties.r1 import R1


def test_the_solver_solves():
    random = torch.Generator().manual_seed(0)
    a = torch.randn(3, 6, 6, generator=random, dtype=torch.float64) * 0.3 + torch.eye(6, dtype=torch.float64)
    b = torch.randn(3, 6, generator=random, dtype=torch.float64)
    b[1] = 0  # a member at the solution

    def times(matrices):
        def apply(x):
            y = (matrices @ torch.cat(x.parts, 1)[..., None])[..., 0]
            return Both((y[:, :4],), (y[:, 4:],))

        return apply

    found = solve(times(a), times(a.transpose(1, 2)), Both((b[:, :4],), (b[:, 4:],)), 12)
    torch.testing.assert_close(torch.cat(found.parts, 1), torch.linalg.solve(a, b), rtol=1e-8, atol=1e-10)


def test_a_solver_that_overflows_says_so():
    """Infinity in a denominator would give a step of zero, as at a stationary point."""
    right = Both((torch.full((2, 1), 1e22),), (torch.ones(2, 1),))
    right.generator[0][1] = 1.0
    found = solve(lambda x: x, lambda y: y, right, 4)
    assert found.generator[0][0].isnan()
    assert found.generator[0][1] == 1


def curved(seed):
    objective = Objective(Standard(), {"r1": R1(weight=0.5)})
    model = MLP(latent_dim=2, generator_widths=(5,), discriminator_widths=(6,), dropout=0.0)
    one = replace(member(seed, SGD(), 0.1, objective), steps=3)
    samples = torch.rand(12, 1, 2, 2, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return AdversarialPack([one], model, samples, PackSettings(batch_size=4), critic_steps=1, dynamics=Simultaneous())


def test_products_with_the_jacobian_are_those_of_the_whole_matrix(exact):
    """On networks: J by autograd, column by column, for all blocks and for the off-diagonal ones."""
    game = curved(3).game(curved(3).random.for_discriminator())
    v = game.field(create_graph=True)
    flat = torch.cat(v.parts, 1)[0]
    rows = [torch.cat([g.flatten() for g in torch.autograd.grad(x, game.at.parts, retain_graph=True)]) for x in flat]
    jacobian, split = torch.stack(rows), sum(part.shape[1] for part in v.generator)
    mixed = jacobian.clone()
    mixed[:split, :split] = 0
    mixed[split:, split:] = 0
    u = v.map(lambda part: torch.randn(part.shape, generator=torch.Generator().manual_seed(part.shape[1])))
    column = torch.cat(u.parts, 1)[0]
    for matrix, only in ((jacobian, False), (mixed, True)):
        torch.testing.assert_close(torch.cat(game.jvp(v, u, mixed=only).parts, 1)[0], matrix @ column)
        torch.testing.assert_close(torch.cat(game.vjp(v, u, mixed=only).parts, 1)[0], matrix.T @ column)
    assert not torch.allclose(mixed, jacobian)
