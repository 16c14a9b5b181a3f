"""Fields of `gansweep.dirac` against the trainer's own losses, penalties and dynamics by autograd, in float64.

Mistakes: a penalty weights the wrong samples; an experiment trains another game than its row of the
table.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from tests.config.test_build_conf import composed

from gansweep.batched.objectives import Objectives
from gansweep.batched.penalty_pass import PenaltyInputs
from gansweep.config.build import build
from gansweep.dirac.convergence import ROWS
from gansweep.dirac.fields.gan import NonSaturating
from gansweep.dirac.fields.r1 import NonSaturatingR1
from gansweep.dirac.notebook import METHODS as METHODS_OF_THE_NOTEBOOK
from gansweep.dynamics.consensus import Consensus
from gansweep.dynamics.simultaneous import Simultaneous
from gansweep.papers.mescheder import DIRAC_METHODS

POSITIONS = [(1.0, 1.0), (0.7, -1.3), (-1.6, 0.4), (-0.3, -0.9)]
# The experiment of each row with its fields on points and between Gaussians, and two losses without a row.
FIELDS = {
    **{(f"experiment=dirac/{method}",): pair for method, pair in zip(DIRAC_METHODS, ROWS, strict=True)},
    ("experiment=dirac/gan", "loss=standard"): (NonSaturating(),),
    ("experiment=dirac/gan", "loss=r1", "loss.penalties.r1.weight=0.3"): (NonSaturatingR1(),),
}


@pytest.fixture(autouse=True)
def float64(monkeypatch):
    """Set the default dtype, with an empty cache of data sets: the samples are float64 as well."""
    monkeypatch.setattr("gansweep.config.build._datasets", {})
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def trainer_field(run, theta, psi, std):
    """Return the trainer's descent directions of both players, with the paper's sign of psi.

    Data are N(0, std^2), generated samples N(theta, std^2). Every Gauss-Hermite node is a member
    with a batch of one sample, and gradients of the members are averaged with the weights of the
    nodes.
    """
    std = math.hypot(std, run.member.objective.instance_noise)
    nodes, weights = map(torch.from_numpy, np.polynomial.hermite_e.hermegauss(64) if std else (np.zeros(1), np.ones(1)))
    weights = weights / weights.sum()
    objectives = Objectives([run.member] * len(nodes), torch.device("cpu"))
    objectives.set([0] * len(nodes), [1] * len(nodes))
    network = run.model.discriminator((1,))
    position = torch.tensor([theta, -psi], requires_grad=True)  # our D is high on real samples, the paper's on fake
    thetas, psis = (value.expand(len(nodes), 1) for value in position)
    real = (std * nodes)[:, None, None]
    fake = thetas[:, :, None] + real
    inputs = [PenaltyInputs([torch.full_like(real, 0.3)]) for _ in objectives.passes]
    d_loss, _ = objectives.discriminator(network, network.cut(psis), {}, real, fake, [], inputs)
    g_loss = objectives.generator(network, network.cut(psis), {}, fake, []).sum()
    (d_gradient,) = torch.autograd.grad(d_loss, psis, create_graph=True)
    (g_gradient,) = torch.autograd.grad(g_loss, thetas, create_graph=True)
    return g_gradient, d_gradient, weights, position


def directions(run, theta, psi, std):
    """Return (v_theta, v_psi) of the run's dynamics."""
    g_gradient, d_gradient, weights, position = trainer_field(run, theta, psi, std)
    gradient = torch.stack([weights @ g_gradient[:, 0], weights @ d_gradient[:, 0]])
    if isinstance(run.dynamics, Consensus):
        (gradient_of_norm,) = torch.autograd.grad(gradient.square().sum() / 2, position)
        gradient = gradient + run.dynamics.gamma * gradient_of_norm
    else:
        assert isinstance(run.dynamics, Simultaneous)
    v_theta, v_psi = (-gradient).tolist()
    return v_theta, -v_psi


@pytest.mark.parametrize("overrides", FIELDS, ids=" ".join)
def test_the_field_equals_the_update_direction_of_its_experiment(overrides):
    run = build(composed(*overrides, "device=cpu"))
    for field, std in zip(FIELDS[overrides], (0.0, 1.0), strict=False):
        for theta, psi in POSITIONS:
            np.testing.assert_allclose(field(theta, psi), directions(run, theta, psi, std), rtol=1e-6, err_msg=field)


def test_every_method_is_compared():
    compared = {type(field) for fields in FIELDS.values() for field in fields}
    assert {type(field) for field in METHODS_OF_THE_NOTEBOOK.values()} <= compared
    assert {type(field) for row in ROWS for field in row} <= compared
