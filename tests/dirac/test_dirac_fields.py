"""Fields by hand beside autograd's gradients of the losses, and the quirks of the notebook."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gansweep.dirac.convergence import ROWS
from gansweep.dirac.fields.consensus import Consensus
from gansweep.dirac.fields.dragan import DRAGAN
from gansweep.dirac.fields.gan import GAN
from gansweep.dirac.fields.instance_noise import InstanceNoise
from gansweep.dirac.fields.non_saturating import NonSaturating
from gansweep.dirac.fields.non_saturating_r1 import NonSaturatingR1
from gansweep.dirac.fields.r1 import R1
from gansweep.dirac.fields.roth import Roth
from gansweep.dirac.fields.sampled_instance_noise import SampledInstanceNoise
from gansweep.dirac.fields.wgan import WGAN
from gansweep.dirac.fields.wgan_gp import WGANGP
from gansweep.dirac.gaussian import GaussianConsensus, GaussianRoth, SlopePenalty
from gansweep.dirac.spectrum import autograd_jacobian

FIELDS = sorted({field for row in ROWS for field in row} | {NonSaturating(), NonSaturatingR1()}, key=repr)
SMOOTH = [field for field in FIELDS if field.jacobian() is not None]
POSITIONS = [(1.0, 1.0), (0.7, -1.3), (-1.6, 0.4), (-0.3, -0.9)]


def stacked(v):
    return np.array(np.broadcast_arrays(*v))


@pytest.mark.parametrize("field", FIELDS, ids=repr)
def test_each_player_descends_its_loss(field):
    for theta, psi in POSITIONS:
        position = torch.tensor([theta, psi], dtype=torch.float64, requires_grad=True)
        wanted = [-torch.autograd.grad(field.losses(*position)[player], position)[0][player] for player in (0, 1)]
        np.testing.assert_allclose(field(theta, psi), wanted, rtol=1e-10)


@pytest.mark.parametrize("field", SMOOTH, ids=repr)
def test_jacobian_at_the_equilibrium_is_that_of_autograd(field):
    np.testing.assert_allclose(field.jacobian(), autograd_jacobian(field), atol=1e-8)


@pytest.mark.parametrize("field", FIELDS, ids=repr)
def test_the_equilibrium_is_at_rest(field):
    assert tuple(field(0.0, 0.0)) == (0.0, 0.0)


@pytest.mark.parametrize("field", FIELDS, ids=repr)
def test_many_games_are_the_same_games(field):
    theta, psi = np.array(POSITIONS).T
    together = stacked(field(theta[:, None], psi))
    one_by_one = [[field(t, p) for p in psi] for t in theta]
    np.testing.assert_allclose(together, np.moveaxis(np.array(one_by_one), -1, 0), rtol=1e-13)


@pytest.mark.parametrize(
    "method", [Consensus, R1, NonSaturatingR1, Roth, InstanceNoise, GaussianRoth, GaussianConsensus, SlopePenalty]
)
def test_one_number_per_game(method):
    numbers = np.array([0.2, 0.5, 1.4])
    for position in POSITIONS:
        alone = np.array([method(number)(*position) for number in numbers]).T
        np.testing.assert_allclose(stacked(method(numbers)(*position)), alone, rtol=1e-13)
    np.testing.assert_allclose(method(numbers).jacobian(), [method(number).jacobian() for number in numbers])


def test_consensus_exact_and_as_coded():
    np.testing.assert_allclose(Consensus(1.0)(1.0, 1.0), (-0.235517, 0.302366), atol=5e-7)
    np.testing.assert_allclose(Consensus(1.0, as_coded=True)(1.0, 1.0), (-0.288394, 0.249489), atol=5e-7)


def test_roth_damps_half_as_much_as_r1():
    assert Roth(0.6).jacobian()[1, 1] == pytest.approx(-0.3)
    np.testing.assert_allclose(Roth(0.6).jacobian(), R1(0.3).jacobian())


@pytest.mark.parametrize("field", [WGANGP(0.7, 1.0), DRAGAN(0.7, 1.0)])
def test_sign_of_zero_is_zero(field):
    assert field(1.4, 0.0)[1] == pytest.approx(1.4 * (1.0 if isinstance(field, WGANGP) else 0.5))


@pytest.mark.parametrize(("field", "a"), [(WGANGP(0.7, 1.0), 1.0), (DRAGAN(0.7, 1.0), 0.5)])
def test_false_points_of_rest_are_seen_from_one_side(field, a):
    theta = 0.7 * 1.0 / a
    np.testing.assert_allclose(field(-theta, 1e-12), (0, 0), atol=1e-11)
    np.testing.assert_allclose(field(theta, -1e-12), (0, 0), atol=1e-11)
    assert abs(field(-theta, -1e-12)[1]) > 1


def test_drawn_noise_is_the_computed_one_up_to_its_error():
    theta, psi = np.array(POSITIONS).T
    drawn = SampledInstanceNoise(0.7, 200_000, np.random.default_rng(3))(theta, psi)
    np.testing.assert_allclose(drawn, InstanceNoise(0.7)(theta, psi), atol=0.01)
    once = SampledInstanceNoise(0.7, 10, np.random.default_rng(3))
    assert once(1.0, 1.0) != once(1.0, 1.0)


def test_noise_of_size_zero_is_none():
    np.testing.assert_allclose(InstanceNoise(0.0)(0.7, -1.3), GAN()(0.7, -1.3), rtol=1e-14)


def test_noise_has_enough_nodes():
    np.testing.assert_allclose(InstanceNoise(0.7)(1.5, 2.0), InstanceNoise(0.7, 120)(1.5, 2.0), rtol=1e-8)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: R1(float("nan")), "gamma=nan: expected a finite number"),
        (lambda: InstanceNoise(-0.1), "std=-0.1: expected a number >= 0"),
        (lambda: InstanceNoise(0.7, num_nodes=0), "num_nodes=0: expected a whole number >= 1"),
        (lambda: SampledInstanceNoise(num_draws=0), "num_draws=0: expected a whole number >= 1"),
        (lambda: WGAN(clip=0.0), "clip=0.0: expected a number > 0"),
    ],
)
def test_wrong_numbers_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
