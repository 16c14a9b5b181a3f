"""The Dirac-GAN, whose first steps are known."""

from __future__ import annotations

import pytest
import torch
from tests.training.small import member

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.pack import PackSettings
from gansweep.data.point_mass import PointMass
from gansweep.layers import Pass
from gansweep.losses.minimax import Minimax
from gansweep.losses.objective import Objective
from gansweep.losses.standard import Standard
from gansweep.models.dirac import Dirac
from gansweep.optimizers.sgd import SGD
from gansweep.penalties.r1 import R1


def test_one_parameter_per_network_and_no_biases():
    model = Dirac(theta=2.0, psi=-3.0)
    g, d = model.generator((1,)), model.discriminator((1,))
    assert (g.num_parameters, d.num_parameters) == (1, 1)
    theta, psi = (network.initial(torch.Generator())[None] for network in (g, d))
    z = torch.randn(1, 5, 1, generator=torch.Generator().manual_seed(0))
    assert torch.equal(g(g.cut(theta), z), torch.full((1, 5, 1), 2.0))
    assert torch.equal(d(d.cut(psi), z), -3 * z)
    assert torch.equal(d.input_gradient(d.cut(psi), z, Pass()), torch.full((1, 5, 1), -3.0))
    assert g.state_dict(theta)["theta"] == 2
    assert d.state_dict(psi)["psi"] == -3


@pytest.mark.parametrize(("gamma", "psi_of_the_paper"), [(0.0, 1.0537882843), (0.3, 0.9937882843)])
def test_first_step_of_gradient_descent(gamma, psi_of_the_paper):
    """psi += h (theta f' - gamma psi), theta -= h psi f', f' = sigmoid(-theta psi), with the paper's psi."""
    torch.set_default_dtype(torch.float64)
    try:
        psi = 1 + 0.2 * (torch.tensor(-1.0).sigmoid() - gamma)
        theta = 1 - 0.2 * psi * (-psi).sigmoid()
        objective = Objective(Minimax(), {"r1": R1(weight=gamma)})
        settings = member(0, SGD(), 0.2, objective, steps=1)
        pack = AdversarialPack(
            [settings], Dirac(psi=-1.0), PointMass().samples.double(), PackSettings(batch_size=4), critic_steps=1
        )
        next(pack.steps())
    finally:
        torch.set_default_dtype(torch.float32)
    assert psi.item() == pytest.approx(psi_of_the_paper, rel=1e-9)
    torch.testing.assert_close(pack.d.theta, -psi.view(1, 1), rtol=1e-12, atol=0)
    torch.testing.assert_close(pack.g.theta, theta.view(1, 1), rtol=1e-12, atol=0)


def test_ignored_z_is_not_reported_as_collapse():
    settings = member(0, SGD(), 0.1, Objective(Standard(), {}), steps=12)
    pack = AdversarialPack(
        [settings], Dirac(), PointMass().samples, PackSettings(batch_size=4, check_every=1, patience=2), critic_steps=1
    )
    for _ in pack.steps():
        pass
    assert pack.monitor.read() == [None]


@pytest.mark.parametrize("shape", [(2,), (1, 8, 8)], ids=str)
def test_unsupported_shapes(shape):
    for build in (Dirac().generator, Dirac().discriminator):
        with pytest.raises(ValueError, match=r"dirac .*samples of the data have shape \("):
            build(shape)


@pytest.mark.parametrize("wrong", [{"theta": float("nan")}, {"psi": float("inf")}], ids=str)
def test_settings_out_of_range(wrong):
    with pytest.raises(ValueError, match=rf"{next(iter(wrong))}="):
        Dirac(**wrong)


def test_point_mass_data():
    data = PointMass(num_samples=7, value=0.5)
    assert torch.equal(data.samples, torch.full((7, 1), 0.5))
    assert data.sample_shape == (1,)
    assert data.content_hash != PointMass(num_samples=7).content_hash
    with pytest.raises(ValueError, match="value="):
        PointMass(value=float("nan"))
