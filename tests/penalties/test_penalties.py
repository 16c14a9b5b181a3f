"""Prices of a slope that is known: a linear critic has the same one everywhere."""

from __future__ import annotations

import pytest
import torch

from gansweep.interfaces import Penalty
from gansweep.layers import LeakyReLU, Linear, Network
from gansweep.penalties.dragan import DRAGAN
from gansweep.penalties.length import sigmoid
from gansweep.penalties.r1 import R1
from gansweep.penalties.r2 import R2
from gansweep.penalties.roth_fake import RothFake
from gansweep.penalties.roth_real import RothReal
from gansweep.penalties.wgan_gp import WGANGP
from gansweep.penalties.wgan_gp_per_pixel import WGANGPPerPixel
from gansweep.penalties.wgan_lp import WGANLP

PENALTIES = [
    WGANGP(),
    WGANGP(weight=2.0, target=0.0),
    WGANGPPerPixel(weight=1.0, target=0.5),
    WGANLP(limit=0.1),
    DRAGAN(),
    R1(),
    R2(),
    RothReal(),
    RothFake(),
]


def price(penalty, slope, logits=None):
    """weight * E[score(slope, logits)], from slopes (K, B, ...)."""
    return penalty.weight * penalty.score(slope, logits).mean(1)


def zeros(slot, generator):
    return torch.zeros(slot.shape)


@pytest.mark.parametrize(("c", "expected"), [(0.0, 10.0), (1 / 28, 0.0), (0.1, 32.4), (1.0, 7290.0)])
def test_gradient_penalty_of_a_sum_over_all_pixels(c, expected):
    """D(x) = c sum(x) over 28 x 28 pixels has slope 28 c; pixel by pixel it would be c."""
    slope = torch.full((2, 3, 1, 28, 28), c, dtype=torch.float64)
    assert price(WGANGP(weight=10.0, target=1.0), slope).tolist() == pytest.approx([expected] * 2, rel=1e-9, abs=1e-20)


@pytest.mark.parametrize(("c", "expected"), [(0.0, 1.0), (1 / 28, 0.929847), (0.1, 0.81), (1.0, 0.0)])
def test_the_quirk_of_a_norm_pixel_by_pixel(c, expected):
    """The same D: c at every pixel, whatever the number of pixels."""
    slope = torch.full((2, 3, 1, 28, 28), c, dtype=torch.float64)
    assert price(WGANGPPerPixel(), slope).tolist() == pytest.approx([expected] * 2, rel=1e-6, abs=1e-20)


def test_the_pixels_norm_runs_over_channels_and_the_mean_over_pixels():
    slope = torch.zeros(1, 1, 2, 1, 3)
    slope[0, 0, :, 0, 0] = torch.tensor([3.0, 4.0])  # lengths 5, 0 and 2 of three pixels of two channels
    slope[0, 0, 1, 0, 2] = -2.0
    assert WGANGPPerPixel().score(slope).item() == pytest.approx((16 + 1 + 1) / 3)
    points = torch.tensor([[[3.0, 4.0], [0.0, -2.0]]])
    assert torch.equal(WGANGPPerPixel().score(points), WGANGP().score(points))


@pytest.mark.parametrize(("c", "expected"), [(0.0, 0.0), (0.9, 0.0), (1.0, 0.0), (1.5, 2.5), (-3.0, 40.0)])
def test_one_side_is_free(c, expected):
    slope = torch.tensor([[[c, 0.0], [0.0, c]]], dtype=torch.float64)
    assert price(WGANLP(weight=10.0), slope).tolist() == pytest.approx([expected])


def test_roths_halves_weigh_the_slope_by_the_chance_to_be_wrong():
    slope, logits = torch.tensor([[[3.0, 4.0], [1.0, 0.0]]], dtype=torch.float64), torch.tensor([[1.5, -0.5]]).double()
    chance = 1 / (1 + torch.exp(-logits))
    lengths = torch.tensor([[25.0, 1.0]], dtype=torch.float64)
    torch.testing.assert_close(price(RothReal(0.6), slope, logits), 0.3 * ((1 - chance) ** 2 * lengths).mean(1))
    torch.testing.assert_close(price(RothFake(0.6), slope, logits), 0.3 * (chance**2 * lengths).mean(1))


def test_roths_gradient_goes_through_the_chance():
    """d/dt sigmoid(t)^2 = 2 sigmoid(t)^2 (1 - sigmoid(t)), also at 0 and far out."""
    logits = torch.tensor([[-800.0, -2.0, 0.0, 1.0, 800.0]], dtype=torch.float64, requires_grad=True)
    slope, chance = torch.ones(1, 5, 1, dtype=torch.float64), torch.sigmoid(logits.detach())
    (fake,) = torch.autograd.grad(RothFake().score(slope, logits).sum(), logits)
    (real,) = torch.autograd.grad(RothReal().score(slope, logits).sum(), logits)
    torch.testing.assert_close(fake, chance**2 * (1 - chance))
    torch.testing.assert_close(real, -((1 - chance) ** 2) * chance)


def test_sigmoid_does_not_depend_on_the_place_of_a_number():
    """torch's own rounds differently in the remainder of a vector register."""
    random = torch.Generator().manual_seed(0)
    for batch in range(1, 40):
        rows = torch.randn(3, batch, generator=random).mul_(4).requires_grad_()
        torch.testing.assert_close(sigmoid(rows), torch.sigmoid(rows))
        (slope,) = torch.autograd.grad(sigmoid(rows).square().sum(), rows)
        for k in range(3):
            alone = rows[k : k + 1].detach().clone().requires_grad_()
            assert torch.equal(sigmoid(alone)[0], sigmoid(rows)[k])
            assert torch.equal(torch.autograd.grad(sigmoid(alone).square().sum(), alone)[0][0], slope[k])


def test_dragan_looks_around_real_samples_as_far_as_its_members_data_spread():
    random = torch.Generator().manual_seed(1)
    real = torch.randn(2, 4, 1, 3, 3, generator=random, dtype=torch.float64) * torch.tensor([1.0, 5.0]).view(
        2, 1, 1, 1, 1
    )
    u = torch.rand(real.shape, generator=random, dtype=torch.float64)
    points = DRAGAN().points(real, torch.full_like(real, torch.nan), u)
    for k in range(2):
        torch.testing.assert_close(points[k], real[k] + 0.5 * float(real[k].numpy().std()) * u[k])
    assert DRAGAN.noise == "entry"


def test_dragans_spread_is_the_same_alone_and_in_company_on_two_threads():
    """A lone member's sum over 46,080 numbers would be split over threads, one of twelve would not."""
    real = torch.randn(12, 80, 1, 24, 24, generator=torch.Generator().manual_seed(2))
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        together = DRAGAN().points(real, real, torch.ones_like(real))
        for k in range(12):
            one = real[k : k + 1]
            assert torch.equal(DRAGAN().points(one, one, torch.ones_like(one))[0], together[k])
    finally:
        torch.set_num_threads(before)


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
    assert torch.equal(RothReal().points(real, fake, u), real)
    assert torch.equal(RothFake().points(real, fake, u), fake)
    for penalty in (WGANGP(), WGANLP(), WGANGPPerPixel()):
        assert penalty.points(real, fake, u).tolist() == [[[1.0, 1.5], [1.0, 1.0]]]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
@pytest.mark.parametrize("shape", [(5, 1, 3, 3), (66, 3, 17, 31), (7, 2)])
def test_a_member_is_the_same_alone_and_in_company(penalty, shape, threads):
    """The second is large enough for torch to split its sums over threads."""
    random = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, 3, *shape, generator=random)
    u = torch.rand(3, *(shape if penalty.noise == "entry" else (shape[0], *[1] * (len(shape) - 1))), generator=random)
    logits = torch.randn(3, shape[0], generator=random)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        points, scores = penalty.points(real, fake, u), penalty.score(fake, logits)
        for k in range(3):
            one = slice(k, k + 1)
            assert torch.equal(penalty.points(real[one], fake[one], u[one])[0], points[k])
            assert torch.equal(penalty.score(fake[one], logits[one])[0], scores[k])
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
def test_a_neighbour_that_is_nan_stays_with_itself(penalty):
    random = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, 2, 5, 3, generator=random)
    u = torch.rand(2, 5, 3 if penalty.noise == "entry" else 1, generator=random)
    logits = torch.randn(2, 5, generator=random)
    points, scores = penalty.points(real, fake, u), penalty.score(fake, logits)
    for bad in (real[0], fake[0], logits[0]):
        bad[2] = torch.nan
    assert torch.equal(penalty.points(real, fake, u)[1], points[1])
    broken = penalty.score(fake, logits)
    assert torch.equal(broken[1], scores[1])
    assert broken[0].isnan().any()


@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
def test_descending_it_brings_the_slope_to_its_target(penalty):
    """Through a network that bends, so that the second derivative is needed."""
    assert isinstance(penalty, Penalty)
    network = Network([Linear("0", 2, 8), LeakyReLU(0.2), Linear("2", 8, 1)], zeros)
    random = torch.Generator().manual_seed(4)
    theta = torch.randn(2, network.num_parameters, generator=random)
    real, fake = torch.randn(2, 2, 6, 2, generator=random)
    u = torch.rand(2, 6, 2 if penalty.noise == "entry" else 1, generator=random)
    points = penalty.points(real, fake, u)

    def value(rows):
        params = network.cut(rows)
        return price(penalty, network.input_gradient(params, points), network(params, points)[..., 0])

    before = value(theta)
    for _ in range(50):
        rows = theta.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(value(rows).sum(), rows)
        theta = theta - 1e-3 * gradient
    after = value(theta)
    assert (after < before).all()
    assert after.sum() < before.sum() / 2


@pytest.mark.parametrize(
    "penalty", [WGANGP(target=0.0), WGANLP(), WGANGPPerPixel(target=0.0), R1(), R2(), RothReal(), RothFake()], ids=repr
)
def test_a_flat_critic_has_a_finite_gradient(penalty):
    """The root of a sum of squares has an infinite one at zero."""
    slope = torch.zeros(1, 2, 3, requires_grad=True)
    (gradient,) = torch.autograd.grad(price(penalty, slope, torch.zeros(1, 2)).sum(), slope)
    assert torch.equal(gradient, torch.zeros_like(gradient))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: R1(weight=-1.0), "weight=-1.0: expected a number >= 0"),
        (lambda: R2(weight=float("nan")), "weight=nan"),
        (lambda: WGANGP(weight=float("inf")), "weight=inf"),
        (lambda: WGANGP(target=-1.0), "target=-1.0"),
        (lambda: WGANLP(limit=-1.0), "limit=-1.0: expected a number >= 0"),
        (lambda: WGANGPPerPixel(target=float("nan")), "target=nan"),
        (lambda: DRAGAN(spread=-0.5), "spread=-0.5"),
        (lambda: RothReal(weight=-2.0), "weight=-2.0"),
        (lambda: RothFake(weight=float("inf")), "weight=inf"),
    ],
)
def test_a_setting_out_of_range_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_the_weight_of_the_lipschitz_penalty():
    assert WGANLP().weight == 10.0
