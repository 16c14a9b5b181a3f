"""Prices of a slope that is known: a linear critic has the same one everywhere."""

from __future__ import annotations

import pytest
import torch

from gansweep.interfaces import Penalty
from gansweep.layers import LeakyReLU, Linear, Network
from gansweep.penalties.r1 import R1
from gansweep.penalties.r2 import R2
from gansweep.penalties.wgan_gp import WGANGP

PENALTIES = [WGANGP(), WGANGP(weight=2.0, target=0.0), R1(), R2()]


def price(penalty, slope):
    """weight * E[score(slope)], from slopes (K, B, ...)."""
    return penalty.weight * penalty.score(slope).mean(1)


def zeros(slot, generator):
    return torch.zeros(slot.shape)


@pytest.mark.parametrize(("c", "expected"), [(0.0, 10.0), (1 / 28, 0.0), (0.1, 32.4), (1.0, 7290.0)])
def test_gradient_penalty_of_a_sum_over_all_pixels(c, expected):
    """D(x) = c sum(x) over 28 x 28 pixels has slope 28 c; pixel by pixel it would be c."""
    slope = torch.full((2, 3, 1, 28, 28), c, dtype=torch.float64)
    assert price(WGANGP(weight=10.0, target=1.0), slope).tolist() == pytest.approx([expected] * 2, rel=1e-9, abs=1e-20)


@pytest.mark.parametrize("penalty", [R1(weight=3.0), R2(weight=3.0)])
def test_r1_and_r2_have_the_papers_half(penalty):
    """gamma / 2 ||w||^2 for D(x) = w x."""
    w = torch.tensor([1.0, -2.0, 0.5])
    network = Network([Linear("0", 3, 1)], zeros)
    theta = torch.cat([w, torch.tensor([0.7])])[None]
    slope = network.input_gradient(network.cut(theta), torch.randn(1, 4, 3))
    assert price(penalty, slope).item() == pytest.approx(3.0 / 2 * 5.25, rel=1e-6)


def test_where_the_slope_is_taken():
    real, fake = torch.tensor([[[4.0, 0.0], [1.0, 1.0]]]), torch.tensor([[[0.0, 2.0], [5.0, 1.0]]])
    u = torch.tensor([[[0.25], [1.0]]])
    assert torch.equal(R1().points(real, fake, u), real)
    assert torch.equal(R2().points(real, fake, u), fake)
    assert WGANGP().points(real, fake, u).tolist() == [[[1.0, 1.5], [1.0, 1.0]]]


def test_points_of_a_member_are_the_same_alone_and_in_company():
    random = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, 3, 5, 1, 3, 3, generator=random)
    u = torch.rand(3, 5, 1, 1, 1, generator=random)
    together = WGANGP().points(real, fake, u)
    for k in range(3):
        one = slice(k, k + 1)
        assert torch.equal(WGANGP().points(real[one], fake[one], u[one])[0], together[k])


@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
def test_descending_it_brings_the_slope_to_its_target(penalty):
    """Through a network that bends, so that the second derivative is needed."""
    assert isinstance(penalty, Penalty)
    network = Network([Linear("0", 2, 8), LeakyReLU(0.2), Linear("2", 8, 1)], zeros)
    random = torch.Generator().manual_seed(4)
    theta = torch.randn(2, network.num_parameters, generator=random)
    real, fake = torch.randn(2, 2, 6, 2, generator=random)
    points = penalty.points(real, fake, torch.rand(2, 6, 1, generator=random))

    def value(rows):
        return price(penalty, network.input_gradient(network.cut(rows), points))

    before = value(theta)
    for _ in range(50):
        rows = theta.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(value(rows).sum(), rows)
        theta = theta - 1e-3 * gradient
    assert (value(theta) < before / 2).all()


@pytest.mark.parametrize("penalty", [WGANGP(target=0.0), R1(), R2()], ids=repr)
def test_a_flat_critic_has_a_finite_gradient(penalty):
    """The root of a sum of squares has an infinite one at zero."""
    slope = torch.zeros(1, 2, 3, requires_grad=True)
    (gradient,) = torch.autograd.grad(price(penalty, slope).sum(), slope)
    assert torch.equal(gradient, torch.zeros_like(gradient))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: R1(weight=-1.0), "weight=-1.0: expected a number >= 0"),
        (lambda: R2(weight=float("nan")), "weight=nan"),
        (lambda: WGANGP(weight=float("inf")), "weight=inf"),
        (lambda: WGANGP(target=-1.0), "target=-1.0"),
    ],
)
def test_a_setting_out_of_range_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
