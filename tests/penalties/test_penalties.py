"""Values of the penalties for given input gradients."""

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


def value_of(penalty, grad, logits=None):
    """Return weight * E[score(grad, logits)] for input gradients (K, B, ...)."""
    return penalty.weight * penalty.score(grad, logits).mean(1)


def zeros(slot, generator):
    return torch.zeros(slot.shape)


@pytest.mark.parametrize(("c", "expected"), [(0.0, 10.0), (1 / 28, 0.0), (0.1, 32.4), (1.0, 7290.0)])
def test_wgan_gp_of_a_sum_over_all_pixels(c, expected):
    """D(x) = c sum(x) over 28 x 28 pixels has gradient norm 28 c; the norm per pixel would be c."""
    grad = torch.full((2, 3, 1, 28, 28), c, dtype=torch.float64)
    assert value_of(WGANGP(weight=10.0, target=1.0), grad).tolist() == pytest.approx(
        [expected] * 2, rel=1e-9, abs=1e-20
    )


@pytest.mark.parametrize(("c", "expected"), [(0.0, 1.0), (1 / 28, 0.929847), (0.1, 0.81), (1.0, 0.0)])
def test_wgan_gp_per_pixel_of_a_sum_over_all_pixels(c, expected):
    """For the same D, the gradient norm is c at every pixel."""
    grad = torch.full((2, 3, 1, 28, 28), c, dtype=torch.float64)
    assert value_of(WGANGPPerPixel(), grad).tolist() == pytest.approx([expected] * 2, rel=1e-6, abs=1e-20)


def test_norm_over_channels_and_mean_over_pixels():
    grad = torch.zeros(1, 1, 2, 1, 3)
    grad[0, 0, :, 0, 0] = torch.tensor([3.0, 4.0])  # squared_norms 5, 0 and 2 of three pixels of two channels
    grad[0, 0, 1, 0, 2] = -2.0
    assert WGANGPPerPixel().score(grad).item() == pytest.approx((16 + 1 + 1) / 3)
    points = torch.tensor([[[3.0, 4.0], [0.0, -2.0]]])
    assert torch.equal(WGANGPPerPixel().score(points), WGANGP().score(points))


@pytest.mark.parametrize(("c", "expected"), [(0.0, 0.0), (0.9, 0.0), (1.0, 0.0), (1.5, 2.5), (-3.0, 40.0)])
def test_wgan_lp_penalises_only_norms_above_the_limit(c, expected):
    grad = torch.tensor([[[c, 0.0], [0.0, c]]], dtype=torch.float64)
    assert value_of(WGANLP(weight=10.0), grad).tolist() == pytest.approx([expected])


def test_roth_weights_are_the_probability_of_the_wrong_class():
    grad, logits = torch.tensor([[[3.0, 4.0], [1.0, 0.0]]], dtype=torch.float64), torch.tensor([[1.5, -0.5]]).double()
    probability = 1 / (1 + torch.exp(-logits))
    squared_norms = torch.tensor([[25.0, 1.0]], dtype=torch.float64)
    torch.testing.assert_close(
        value_of(RothReal(0.6), grad, logits), 0.3 * ((1 - probability) ** 2 * squared_norms).mean(1)
    )
    torch.testing.assert_close(value_of(RothFake(0.6), grad, logits), 0.3 * (probability**2 * squared_norms).mean(1))


def test_roth_gradient_includes_the_weights():
    """d/dt sigmoid(t)^2 = 2 sigmoid(t)^2 (1 - sigmoid(t)), also at 0 and at large logits."""
    logits = torch.tensor([[-800.0, -2.0, 0.0, 1.0, 800.0]], dtype=torch.float64, requires_grad=True)
    grad, probability = torch.ones(1, 5, 1, dtype=torch.float64), torch.sigmoid(logits.detach())
    (fake,) = torch.autograd.grad(RothFake().score(grad, logits).sum(), logits)
    (real,) = torch.autograd.grad(RothReal().score(grad, logits).sum(), logits)
    torch.testing.assert_close(fake, probability**2 * (1 - probability))
    torch.testing.assert_close(real, -((1 - probability) ** 2) * probability)


def test_sigmoid_does_not_depend_on_the_position():
    """torch's sigmoid rounds elements after the last full vector register differently."""
    random = torch.Generator().manual_seed(0)
    for batch in range(1, 40):
        rows = torch.randn(3, batch, generator=random).mul_(4).requires_grad_()
        torch.testing.assert_close(sigmoid(rows), torch.sigmoid(rows))
        (grad,) = torch.autograd.grad(sigmoid(rows).square().sum(), rows)
        for k in range(3):
            alone = rows[k : k + 1].detach().clone().requires_grad_()
            assert torch.equal(sigmoid(alone)[0], sigmoid(rows)[k])
            assert torch.equal(torch.autograd.grad(sigmoid(alone).square().sum(), alone)[0][0], grad[k])


def test_dragan_perturbation_scales_with_the_std_of_the_member():
    random = torch.Generator().manual_seed(1)
    real = torch.randn(2, 4, 1, 3, 3, generator=random, dtype=torch.float64) * torch.tensor([1.0, 5.0]).view(
        2, 1, 1, 1, 1
    )
    u = torch.rand(real.shape, generator=random, dtype=torch.float64)
    points = DRAGAN().points(real, torch.full_like(real, torch.nan), u)
    for k in range(2):
        torch.testing.assert_close(points[k], real[k] + 0.5 * float(real[k].numpy().std()) * u[k])
    assert DRAGAN.noise == "entry"


def test_dragan_std_does_not_depend_on_other_members_with_two_threads():
    """A sum over 46,080 numbers is split over threads for one member, but not for twelve."""
    real = torch.randn(12, 80, 1, 24, 24, generator=torch.Generator().manual_seed(2))
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        together = DRAGAN().points(real, real, torch.ones_like(real))
        for k in range(12):
            row = real[k : k + 1]
            assert torch.equal(DRAGAN().points(row, row, torch.ones_like(row))[0], together[k])
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("penalty", [R1(weight=3.0), R2(weight=3.0)])
def test_r1_and_r2_have_the_factor_one_half(penalty):
    """gamma / 2 ||w||^2 for D(x) = w x."""
    w = torch.tensor([1.0, -2.0, 0.5])
    network = Network([Linear("0", 3, 1)], zeros)
    theta = torch.cat([w, torch.tensor([0.7])])[None]
    grad = network.input_gradient(network.cut(theta), torch.randn(1, 4, 3))
    assert value_of(penalty, grad).item() == pytest.approx(3.0 / 2 * 5.25, rel=1e-6)


def test_points_of_evaluation():
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
def test_penalties_do_not_depend_on_other_members(penalty, shape, threads):
    """The second shape is large enough for torch to split its sums over threads."""
    random = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, 3, *shape, generator=random)
    u = torch.rand(3, *(shape if penalty.noise == "entry" else (shape[0], *[1] * (len(shape) - 1))), generator=random)
    logits = torch.randn(3, shape[0], generator=random)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        points, scores = penalty.points(real, fake, u), penalty.score(fake, logits)
        for k in range(3):
            row = slice(k, k + 1)
            assert torch.equal(penalty.points(real[row], fake[row], u[row])[0], points[k])
            assert torch.equal(penalty.score(fake[row], logits[row])[0], scores[k])
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
def test_nan_of_a_member_does_not_affect_the_others(penalty):
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
def test_gradient_descent_reduces_the_penalty(penalty):
    """With a nonlinear network, so that second derivatives are needed."""
    assert isinstance(penalty, Penalty)
    network = Network([Linear("0", 2, 8), LeakyReLU(0.2), Linear("2", 8, 1)], zeros)
    random = torch.Generator().manual_seed(4)
    theta = torch.randn(2, network.num_parameters, generator=random)
    real, fake = torch.randn(2, 2, 6, 2, generator=random)
    u = torch.rand(2, 6, 2 if penalty.noise == "entry" else 1, generator=random)
    points = penalty.points(real, fake, u)

    def value(rows):
        params = network.cut(rows)
        return value_of(penalty, network.input_gradient(params, points), network(params, points)[..., 0])

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
def test_gradient_is_finite_at_input_gradient_0(penalty):
    """The derivative of a square root is infinite at zero."""
    grad = torch.zeros(1, 2, 3, requires_grad=True)
    (gradient,) = torch.autograd.grad(value_of(penalty, grad, torch.zeros(1, 2)).sum(), grad)
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
def test_settings_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_default_weight_of_wgan_lp():
    assert WGANLP().weight == 10.0
