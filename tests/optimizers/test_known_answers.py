"""Values that were computed by hand or by another program."""

from __future__ import annotations

import pytest
import torch

from gansweep.interfaces import UpdateContext
from gansweep.optimizers.adam import Adam
from gansweep.optimizers.adamw import AdamW
from gansweep.optimizers.nadam import NAdam
from gansweep.optimizers.rmsprop import RMSprop
from gansweep.optimizers.sgd import SGD


def path(drive, rule, start, gradients, lr, num_steps=None):
    """Return the last theta of one member in float64."""
    theta = torch.tensor([start], dtype=torch.float64)
    if not callable(gradients):
        gradients = torch.tensor(gradients, dtype=torch.float64).reshape(len(gradients), 1, -1)
    drive(rule, theta, gradients, [lr], num_steps=num_steps)
    return theta[0].tolist()


def bowl(eps):
    """Gradient of (eps x^2 + y^2) / 2."""
    curvature = torch.tensor([eps, 1.0], dtype=torch.float64)
    return lambda theta: curvature * theta


@pytest.mark.parametrize(
    ("eps", "eta", "num_steps", "x", "y"),
    [
        (0.01, 1.0, 100, 0.3660323413, 0.0),
        (0.01, 1.9, 100, 0.1468590579, 2.656139889e-5),
        (0.01, 2 / 1.01, 100, 0.1353262606, 0.1353262606),
        (0.001, 1.9, 1000, 0.1492985495, 1.747871e-46),
        (0.1, 1.5, 50, 2.957646638e-4, 8.881784e-16),
    ],
)
def test_gradient_descent_on_a_bowl(drive, eps, eta, num_steps, x, y):
    """x_r = (1 - eta eps)^r, y_r = (1 - eta)^r."""
    found = path(drive, SGD(), [1.0, 1.0], bowl(eps), eta, num_steps)
    assert found == pytest.approx([x, y], rel=1e-6, abs=1e-300)
    assert found == pytest.approx([(1 - eta * eps) ** num_steps, (1 - eta) ** num_steps], rel=1e-9, abs=1e-300)


@pytest.mark.parametrize(
    ("num_steps", "x", "y"),
    [
        (1, 0.999, 0.9),
        (2, 0.997101, 0.72),
        (3, 0.994394799, 0.486),
        (10, 0.9589790578, -0.5887893888),
        (100, 0.3686285999, 0.0037387333),
    ],
)
def test_momentum_on_a_bowl(drive, num_steps, x, y):
    """A buffer that averages (v <- mu v + (1 - mu) g) would be ten times slower."""
    found = path(drive, SGD(momentum=0.9), [1.0, 1.0], bowl(0.01), 0.1, num_steps)
    assert found == pytest.approx([x, y], abs=1e-9)


@pytest.mark.parametrize(
    ("gradients", "expected"),
    [([0.5], 0.99900000002), ([0.5] * 3, 0.99700000006), ([1, -1], 0.9990526315884), ([1, -1, 1], 0.9987168382338)],
)
def test_adam_with_given_gradients(drive, gradients, expected):
    assert path(drive, Adam(), [1.0], gradients, 1e-3) == pytest.approx([expected], abs=2e-13)


def test_adam_on_a_parabola(drive):
    for num_steps, expected in enumerate((0.900000001, 0.80041223, 0.70158627, 0.60393906, 0.50796366), 1):
        found = path(drive, Adam(), [1.0], lambda theta: theta, 0.1, num_steps)
        assert found == pytest.approx([expected], abs=1e-8)


def test_adam_does_not_see_the_gradients_scale(drive):
    small, large = (path(drive, Adam(), [0.0], [g], 1e-3)[0] for g in (0.5, 500.0))
    assert small == pytest.approx(large, rel=1e-7)


@pytest.mark.parametrize("rule", [Adam(), AdamW(weight_decay=0.0)])
def test_bias_corrections_are_not_rounded_to_float32(slots, rule):
    """1 - 0.999^1 has three digits left in float32; the first step is still lr g / |g|."""
    theta = torch.zeros(1, 2)
    gradient = torch.tensor([[0.3, -0.7]])
    context = UpdateContext(torch.tensor([[1.0]]), torch.ones(1, 1, dtype=torch.float64), slots)
    rule.update(theta, gradient, rule.state(slots, theta), context)
    assert theta[0].tolist() == pytest.approx([-1.0, 1.0], rel=3e-7)


@pytest.mark.parametrize(("num_steps", "expected"), [(1, 0.90000002), (2, 0.82911190955), (3, 0.77108700781)])
def test_rmsprop_with_a_constant_gradient(drive, num_steps, expected):
    """0.9000002 would be eps inside of the root, 0.92928939 a gradient that is not squared."""
    found = path(drive, RMSprop(), [1.0], [0.5] * num_steps, 1e-2)
    assert found == pytest.approx([expected], abs=1e-10)


def test_rmsprop_adds_eps_outside_of_the_root(drive):
    assert path(drive, RMSprop(), [0.0], [1e-6], 1e-2) == pytest.approx([-0.0909091], rel=1e-6)


def test_rmsprop_adds_eps_inside_of_the_root_if_it_is_set(drive):
    """s = 1e-14 and eps = 3e-14: a step of lr 1e-6 / sqrt(4e-14)."""
    inside = RMSprop(eps=3e-14, eps_inside=True)
    assert path(drive, inside, [0.0], [1e-6], 1e-2) == pytest.approx([-0.05], rel=1e-6)


def test_adamw_decays_by_the_rate_in_force(drive):
    """With a zero gradient only the decay acts, by the factor 1 - lr weight_decay per step."""
    found = path(drive, AdamW(weight_decay=0.5), [2.0], [0.0] * 3, 0.1)
    assert found == pytest.approx([2.0 * 0.95**3], rel=1e-14)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(momentum=1.0), "momentum=1.0: expected 0 <= momentum < 1"),
        (lambda: SGD(dampening=-0.1), "dampening=-0.1"),
        (lambda: SGD(nesterov=True), "nesterov=True: expected momentum > 0"),
        (lambda: SGD(momentum=0.9, dampening=0.5, nesterov=True), "nesterov=True"),
        (lambda: SGD(weight_decay=float("nan")), "weight_decay=nan"),
        (lambda: RMSprop(alpha=1.0), "alpha=1.0: expected 0 <= alpha < 1"),
        (lambda: RMSprop(momentum=-1), "momentum=-1"),
        (lambda: RMSprop(eps=float("inf")), "eps=inf: expected a number >= 0"),
        (lambda: Adam(betas=(0.9, 1.0)), r"betas=\[0.9, 1.0\]: expected two numbers"),
        (lambda: Adam(eps=-1e-8), "eps=-1e-08"),
        (lambda: AdamW(betas=(-0.1, 0.9)), "betas="),
        (lambda: AdamW(weight_decay=-1.0), "weight_decay=-1.0"),
        (lambda: NAdam(momentum_decay=-1.0), "momentum_decay=-1.0: expected a number >= 0"),
    ],
)
def test_a_setting_out_of_range_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
