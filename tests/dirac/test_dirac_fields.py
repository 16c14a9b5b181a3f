"""Fields against autograd's gradients of their losses, and the deviations of the authors' notebook."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gansweep.dirac.convergence import ROWS
from gansweep.dirac.fields.consensus import Consensus
from gansweep.dirac.fields.gan import GAN, WGAN, NonSaturating
from gansweep.dirac.fields.gaussian import GaussianConsensus, GaussianGradientPenalty, GaussianRoth, InstanceNoise
from gansweep.dirac.fields.r1 import R1, NonSaturatingR1, Roth
from gansweep.dirac.fields.wgan_gp import DRAGAN, WGANGP
from gansweep.dirac.spectrum import autograd_jacobian

FIELDS = sorted({field for row in ROWS for field in row} | {NonSaturating(), NonSaturatingR1()}, key=repr)
SMOOTH = [field for field in FIELDS if field.jacobian() is not None]
POSITIONS = [(1.0, 1.0), (0.7, -1.3), (-1.6, 0.4), (-0.3, -0.9)]


def stacked(v):
    return np.array(np.broadcast_arrays(*v))


@pytest.mark.parametrize("field", FIELDS, ids=repr)
def test_the_field_is_the_negative_gradient_of_both_losses(field):
    for theta, psi in POSITIONS:
        position = torch.tensor([theta, psi], dtype=torch.float64, requires_grad=True)
        expected = [-torch.autograd.grad(field.losses(*position)[player], position)[0][player] for player in (0, 1)]
        np.testing.assert_allclose(field(theta, psi), expected, rtol=1e-10)


@pytest.mark.parametrize("field", SMOOTH, ids=repr)
def test_jacobian_at_the_equilibrium_is_that_of_autograd(field):
    np.testing.assert_allclose(field.jacobian(), autograd_jacobian(field), atol=1e-8)


@pytest.mark.parametrize("field", FIELDS, ids=repr)
def test_the_field_is_zero_at_the_equilibrium(field):
    assert tuple(field(0.0, 0.0)) == (0.0, 0.0)


@pytest.mark.parametrize("field", FIELDS, ids=repr)
def test_arrays_of_positions_give_the_values_of_single_positions(field):
    theta, psi = np.array(POSITIONS).T
    batched = stacked(field(theta[:, None], psi))
    single = [[field(t, p) for p in psi] for t in theta]
    np.testing.assert_allclose(batched, np.moveaxis(np.array(single), -1, 0), rtol=1e-13)


@pytest.mark.parametrize(
    "method",
    [Consensus, R1, NonSaturatingR1, Roth, InstanceNoise, GaussianRoth, GaussianConsensus, GaussianGradientPenalty],
)
def test_arrays_of_hyperparameters_give_the_values_of_single_ones(method):
    values = np.array([0.2, 0.5, 1.4])
    for position in POSITIONS:
        single = np.array([method(value)(*position) for value in values]).T
        np.testing.assert_allclose(stacked(method(values)(*position)), single, rtol=1e-13)
    np.testing.assert_allclose(method(values).jacobian(), [method(value).jacobian() for value in values])


def test_consensus_optimisation_exact_and_as_in_the_notebook():
    np.testing.assert_allclose(Consensus(1.0)(1.0, 1.0), (-0.235517, 0.302366), atol=5e-7)
    np.testing.assert_allclose(Consensus(1.0, as_coded=True)(1.0, 1.0), (-0.288394, 0.249489), atol=5e-7)


def test_the_penalty_of_roth_damps_half_as_much_as_r1():
    assert Roth(0.6).jacobian()[1, 1] == pytest.approx(-0.3)
    np.testing.assert_allclose(Roth(0.6).jacobian(), R1(0.3).jacobian())


@pytest.mark.parametrize("field", [WGANGP(0.7, 1.0), DRAGAN(0.7, 1.0)])
def test_the_penalty_vanishes_at_zero_input_gradient(field):
    assert field(1.4, 0.0)[1] == pytest.approx(1.4 * (1.0 if isinstance(field, WGANGP) else 0.5))


def test_the_radius_in_continuous_time():
    """d(r^2)/dt: 0 for the GAN, -2 theta psi tanh(theta psi / 2) for the non-saturating GAN."""
    theta, psi = np.array(POSITIONS).T
    for field, expected in ((GAN(), 0 * theta), (NonSaturating(), -2 * theta * psi * np.tanh(theta * psi / 2))):
        v_theta, v_psi = field(theta, psi)
        np.testing.assert_allclose(2 * (theta * v_theta + psi * v_psi), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("field", "a"), [(WGANGP(0.7, 1.0), 1.0), (DRAGAN(0.7, 1.0), 0.5)])
def test_spurious_equilibria_are_one_sided(field, a):
    theta = 0.7 * 1.0 / a
    np.testing.assert_allclose(field(-theta, 1e-12), (0, 0), atol=1e-11)
    np.testing.assert_allclose(field(theta, -1e-12), (0, 0), atol=1e-11)
    assert abs(field(-theta, -1e-12)[1]) > 1


def test_instance_noise_of_standard_deviation_zero_is_the_gan():
    np.testing.assert_allclose(InstanceNoise(0.0)(0.7, -1.3), GAN()(0.7, -1.3), rtol=1e-14)


def test_the_quadrature_has_enough_nodes():
    np.testing.assert_allclose(InstanceNoise(0.7)(1.5, 2.0), InstanceNoise(0.7, 120)(1.5, 2.0), rtol=1e-8)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: R1(float("nan")), "gamma=nan: expected a finite number"),
        (lambda: InstanceNoise(-0.1), "std=-0.1: expected a number >= 0"),
        (lambda: InstanceNoise(0.7, num_nodes=0), "num_nodes=0: expected a whole number >= 1"),
        (lambda: WGAN(clip=0.0), "clip=0.0: expected a number > 0"),
    ],
)
def test_a_hyperparameter_out_of_range_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
