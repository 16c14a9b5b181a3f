"""ADOPT, AdEMAMix, MARS and cautious rules against their algorithms in NumPy and in another package."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gansweep.interfaces import Slot
from gansweep.optimizers.ademamix import AdEMAMix
from gansweep.optimizers.adopt import ADOPT
from gansweep.optimizers.cautious import Cautious
from gansweep.optimizers.lion import Lion
from gansweep.optimizers.mars import MARS
from gansweep.optimizers.sgd import SGD


def adopt(beta1, beta2, eps, weight_decay, decoupled, clip):
    def start(theta):
        theta, m, v = theta.copy(), 0.0, None

        def step(g, lr, t):
            nonlocal theta, m, v
            if weight_decay and not decoupled:
                g = g + weight_decay * theta
            if t == 1:
                v = g**2
                return theta
            u = g / np.maximum(np.sqrt(v), eps)
            c = (t - 1) ** 0.25
            m = beta1 * m + (1 - beta1) * (np.clip(u, -c, c) if clip else u)
            theta = theta * (1 - lr * weight_decay * decoupled) - lr * m
            v = beta2 * v + (1 - beta2) * g**2
            return theta

        return step

    return start


def ademamix(betas, alpha, warmup, eps, weight_decay):
    beta1, beta2, last = betas

    def start(theta):
        theta, m1, m2, v = theta.copy(), 0.0, 0.0, 0.0

        def step(g, lr, t):
            nonlocal theta, m1, m2, v
            a, beta3 = alpha, last
            if warmup:
                a = min(alpha, alpha * t / warmup)
                half = [math.log(0.5) / math.log(beta) for beta in (beta1, last)]  # half-lives in steps
                beta3 = 0.5 ** (1 / (half[0] + min(1, t / warmup) * (half[1] - half[0])))
            m1 = beta1 * m1 + (1 - beta1) * g
            m2 = beta3 * m2 + (1 - beta3) * g
            v = beta2 * v + (1 - beta2) * g**2
            u = (m1 / (1 - beta1**t) + a * m2) / (np.sqrt(v / (1 - beta2**t)) + eps)
            theta = theta - lr * (u + weight_decay * theta)
            return theta

        return step

    return start


def mars(beta1, beta2, gamma, eps, weight_decay):
    def start(theta):
        theta, m, v, before = theta.copy(), 0.0, 0.0, None

        def step(g, lr, t):
            nonlocal theta, m, v, before
            c = g if before is None else g + gamma * beta1 / (1 - beta1) * (g - before)
            before = g.copy()
            c = c / max(1.0, np.linalg.norm(c))
            m = beta1 * m + (1 - beta1) * c
            v = beta2 * v + (1 - beta2) * c**2
            u = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
            theta = theta - lr * (u + weight_decay * theta)
            return theta

        return step

    return start


@pytest.mark.parametrize(
    ("rule", "reference"),
    [
        (ADOPT(), adopt(0.9, 0.9999, 1e-6, 0.0, False, True)),
        (ADOPT((0.5, 0.9), 0.3, 0.1, clip=False), adopt(0.5, 0.9, 0.3, 0.1, False, False)),
        (ADOPT((0.5, 0.9), 0.3, 0.1, decoupled=True), adopt(0.5, 0.9, 0.3, 0.1, True, True)),
        (AdEMAMix(), ademamix((0.9, 0.999, 0.9999), 5.0, 0, 1e-8, 0.0)),
        (AdEMAMix((0.8, 0.99, 0.995), 2.0, 40, 1e-3, 0.1), ademamix((0.8, 0.99, 0.995), 2.0, 40, 1e-3, 0.1)),
        (MARS(), mars(0.95, 0.99, 0.025, 1e-8, 0.0)),
        (MARS((0.8, 0.9), 0.5, 1e-3, 0.1), mars(0.8, 0.9, 0.5, 1e-3, 0.1)),
    ],
    ids=repr,
)
def test_equals_the_algorithm(follow, rule, reference):
    theta, _, expected = follow(rule, reference, num_steps=120)
    torch.testing.assert_close(theta, expected, rtol=1e-10, atol=1e-12)


def problem(size=40):
    random = torch.Generator().manual_seed(2)
    theta = torch.randn(1, size, generator=random, dtype=torch.float64)
    return theta, torch.randn(25, 1, size, generator=random, dtype=torch.float64)


@pytest.mark.parametrize(
    ("rule", "name", "settings"),
    [
        (ADOPT(), "ADOPT", {"clip_lambda": lambda t: (t - 1) ** 0.25}),  # the package counts from 2
        (AdEMAMix(), "AdEMAMix", {}),
        (AdEMAMix(alpha=2.0, warmup=10), "AdEMAMix", {"alpha": 2.0, "t_alpha_beta3": 10.0}),
        (MARS(), "MARS", {"mars_type": "adamw", "optimize_1d": True, "weight_decay": 0.0}),
    ],
    ids=["adopt", "ademamix", "warmup", "mars"],
)
def test_equals_pytorch_optimizer(drive, slots, rule, name, settings):
    package = pytest.importorskip("pytorch_optimizer")
    theta, gradients = problem()
    own = [theta[0, :35].view(5, 7).clone(), theta[0, 35:].clone()]
    optimizer = getattr(package, name)(own, lr=0.01, **settings)
    if name == "MARS":  # its previous gradient is 0 in the first step; with equal ones there is no difference
        gradients = torch.cat([torch.zeros_like(gradients[:1]), gradients])
    for gradient in gradients:
        own[0].grad, own[1].grad = gradient[0, :35].view(5, 7).clone(), gradient[0, 35:].clone()
        optimizer.step()
    drive(rule, theta, gradients, [0.01])
    torch.testing.assert_close(theta[0], torch.cat([p.flatten() for p in own]), rtol=1e-6, atol=1e-8)


def test_a_cautious_step_keeps_the_entries_that_agree_with_the_gradient(drive):
    """Momentum 0.5: the second update is -(0.5 g1 + g2); it opposes g2 in the entries 1 and 4 of the first slot."""
    slots = [Slot("w", (5,)), Slot("b", (2,), "bias")]
    theta = torch.zeros(1, 7, dtype=torch.float64)
    g1 = torch.tensor([[1.0, -4.0, 2.0, 1.0, 6.0, 1.0, 1.0]], dtype=torch.float64)
    g2 = torch.tensor([[1.0, 1.0, 2.0, -1.0, -2.0, 1.0, 1.0]], dtype=torch.float64)
    rule = Cautious(SGD(momentum=0.5))
    state = drive(rule, theta, g1[None], [1.0], slots=slots)
    scale = torch.tensor([5 / 6] * 5 + [2 / 3] * 2, dtype=torch.float64)  # n / (n + 1): all entries agree
    torch.testing.assert_close(theta, -g1 * scale)
    before = theta.clone()
    drive(rule, theta, g2[None], [1.0], state=state, first=2, slots=slots)
    mask = torch.tensor([5 / 4, 0.0, 5 / 4, 5 / 4, 0.0, 2 / 3, 2 / 3], dtype=torch.float64)
    torch.testing.assert_close(theta - before, -(0.5 * g1 + g2) * mask)


def test_cautious_lion_equals_pytorch_optimizer(drive, slots):
    package = pytest.importorskip("pytorch_optimizer")
    theta, gradients = problem()
    own = [theta[0, :35].view(5, 7).clone(), theta[0, 35:].clone()]
    optimizer = package.Lion(own, lr=0.01, weight_decay=0.0, cautious=True)
    for gradient in gradients:
        own[0].grad, own[1].grad = gradient[0, :35].view(5, 7).clone(), gradient[0, 35:].clone()
        optimizer.step()
    drive(Cautious(Lion()), theta, gradients, [0.01])
    torch.testing.assert_close(theta[0], torch.cat([p.flatten() for p in own]), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ADOPT(betas=(0.9, 1.0)), "betas="),
        (lambda: AdEMAMix(alpha=-1.0), "alpha=-1.0: expected a number >= 0"),
        (lambda: AdEMAMix(betas=(0.0, 0.9, 0.99), warmup=3), "warmup=3: needs 0 < beta1 <= beta3"),
        (lambda: MARS(gamma=-0.1), "gamma=-0.1"),
    ],
)
def test_a_setting_out_of_range_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
