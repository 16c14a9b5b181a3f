"""Update rules with a scheduled beta1 or momentum."""

from __future__ import annotations

import pytest
import torch

from gansweep.interfaces import Beta, Slot, UpdateContext
from gansweep.optimizers.adabelief import AdaBelief
from gansweep.optimizers.adam import Adam
from gansweep.optimizers.adamw import AdamW
from gansweep.optimizers.adan import Adan
from gansweep.optimizers.lookahead import Lookahead
from gansweep.optimizers.nadam import NAdam
from gansweep.optimizers.optimistic import Optimistic
from gansweep.optimizers.prodigy import Prodigy
from gansweep.optimizers.rmsprop import RMSprop
from gansweep.optimizers.sgd import SGD
from gansweep.optimizers.torch_optimizer import TorchOptimizer

SLOTS = [Slot("w", (5,))]
LAYERS = [Slot("0.weight", (5, 4)), Slot("0.bias", (4,), "bias"), Slot("1.weight", (4, 4))]  # one is hidden


def drive(rule, gradients, betas, slots=SLOTS, dtype=torch.float64):
    """Return theta after every update of one member; None for a beta uses that of the rule."""
    theta = torch.linspace(-1, 2, gradients.shape[-1], dtype=dtype)[None]
    state, product, way = rule.state(slots, theta), torch.ones(1, 1, dtype=torch.float64), [theta.clone()]
    for t, (gradient, value) in enumerate(zip(gradients.to(dtype), betas, strict=True), 1):
        step = torch.full((1, 1), float(t), dtype=torch.float64)
        beta = None
        if value is not None:
            product = product * value
            beta = Beta(torch.full((1, 1), value, dtype=dtype), product)
        lr = torch.full((1, 1), 0.1, dtype=dtype)
        rule.update(theta, gradient[None], state, UpdateContext(lr, step, slots, beta))
        way.append(theta.clone())
    return torch.cat(way)


def noise(num_steps, size=5):
    return torch.randn(num_steps, size, generator=torch.Generator().manual_seed(3), dtype=torch.float64) + 0.5


def test_a_memory_that_stays_is_the_rules_own(rule):
    if not getattr(rule, "memory", 0):
        pytest.skip("has no momentum that a schedule could change")
    gradients = noise(9, 40)
    own = drive(rule, gradients, [None] * 9, LAYERS)
    torch.testing.assert_close(drive(rule, gradients, [rule.memory] * 9, LAYERS), own, rtol=1e-12, atol=1e-12)
    other = drive(rule, gradients, [0.5 * rule.memory] * 9, LAYERS)
    assert not torch.allclose(other, own, rtol=1e-6)


@pytest.mark.parametrize("rule", [Adam(), AdamW(weight_decay=0.0), Adan()], ids=repr)
def test_a_mean_is_divided_by_the_sum_of_its_weights(rule):
    """The mean of equal gradients is the gradient for all betas: every step is lr sign(g)."""
    g = torch.tensor([1.0, -2.0, 0.5, 3.0, -1.0], dtype=torch.float64)
    way = drive(rule, g.expand(6, 5), [0.9, 0.1, 0.5, 0.99, 0.0, 0.7])
    torch.testing.assert_close(way.diff(dim=0), -0.1 * g.sign().expand(6, 5), rtol=1e-6, atol=0)


def test_adabelief_corrects_its_mean_likewise():
    """In the first step m_hat is g, and sqrt(s_hat) is beta1 |g|."""
    g = torch.tensor([1.0, -2.0, 0.5, 3.0, -1.0], dtype=torch.float64)
    way = drive(AdaBelief(), g.expand(1, 5), [0.25])
    torch.testing.assert_close(way.diff(dim=0)[0], -0.1 * g.sign() / 0.25, rtol=1e-6, atol=0)


@pytest.mark.parametrize("nesterov", [False, True])
def test_heavy_ball_written_out(nesterov):
    gradients, betas = noise(5), [0.9, 0.2, 0.0, 0.5, 0.8]
    theta = torch.linspace(-1, 2, 5, dtype=torch.float64)
    v = torch.zeros(5, dtype=torch.float64)
    for g, beta in zip(gradients, betas, strict=True):
        v = beta * v + g
        theta = theta - 0.1 * (g + beta * v if nesterov else v)
    way = drive(SGD(momentum=0.9, nesterov=nesterov), gradients, betas)
    torch.testing.assert_close(way[-1], theta, rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    "rule",
    [RMSprop(momentum=0.9), NAdam(), Prodigy(d0=1e-2), Optimistic(SGD(momentum=0.9)), Lookahead(Adam())],
    ids=repr,
)
def test_every_step_takes_its_own(rule):
    """The first change of beta has an effect in its step, and not before."""
    gradients = noise(4)
    same = drive(rule, gradients, [0.5] * 4)
    other = drive(rule, gradients, [0.5, 0.5, 0.1, 0.5])
    assert torch.equal(same[:3], other[:3])
    assert not torch.isclose(same[3], other[3], rtol=1e-9).any()


def test_what_has_no_momentum_says_so():
    assert SGD().memory == RMSprop().memory == Adam(betas=(0.0, 0.9)).memory == Optimistic(SGD()).memory == 0
    assert not hasattr(TorchOptimizer("torch.optim.Adamax"), "memory")
    assert Lookahead(TorchOptimizer("torch.optim.Adamax")).memory == 0
