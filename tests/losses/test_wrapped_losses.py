"""Relativistic losses and label smoothing, compared with the formulas of their papers."""

from __future__ import annotations

import math
from itertools import product

import pytest
import torch

from gansweep.interfaces import Game
from gansweep.losses.hinge import Hinge
from gansweep.losses.label_smoothing import LabelSmoothing
from gansweep.losses.least_squares import LeastSquares
from gansweep.losses.minimax import Minimax
from gansweep.losses.relativistic_average import RelativisticAverage
from gansweep.losses.relativistic_pairing import RelativisticPairing
from gansweep.losses.standard import Standard
from gansweep.losses.two_terms import TwoTerms
from gansweep.losses.wasserstein import Wasserstein

REAL, FAKE = [1.7, -0.3, 0.4], [-1.2, 0.8, 0.1]
LABELS = LeastSquares(-1.0, 1.0, 1.0)


def rows(*logits):
    return torch.tensor(logits, dtype=torch.float64)[:, None]


def minus_log_sigmoid(t):
    return -math.log(1 / (1 + math.exp(-t)))


def mean(values):
    values = list(values)
    return sum(values) / len(values)


# The two functions of one logit that a paper names f1 (real) and f2 (generated).
TERMS = [
    (Standard(), minus_log_sigmoid, lambda t: minus_log_sigmoid(-t)),
    (Hinge(), lambda t: max(0, 1 - t), lambda t: max(0, 1 + t)),
    (LABELS, lambda t: (t - 1) ** 2 / 2, lambda t: (t + 1) ** 2 / 2),
    (Wasserstein(), lambda t: -t, lambda t: t),
]
NAMES = [type(of).__name__ for of, _, _ in TERMS]


@pytest.mark.parametrize(("of", "f1", "f2"), TERMS, ids=NAMES)
def test_pairing_equals_the_formula(of, f1, f2):
    game, (real, fake) = RelativisticPairing(of), rows(REAL, FAKE)
    pairs = list(zip(REAL, FAKE, strict=True))
    assert game.discriminator(real, fake).item() == pytest.approx(mean(f1(r - f) for r, f in pairs), rel=1e-12)
    assert game.generator(fake, real).item() == pytest.approx(mean(f1(f - r) for r, f in pairs), rel=1e-12)


@pytest.mark.parametrize(("of", "f1", "f2"), TERMS, ids=NAMES)
def test_average_equals_the_formula(of, f1, f2):
    game, (real, fake) = RelativisticAverage(of), rows(REAL, FAKE)
    above_fake, above_real = [r - mean(FAKE) for r in REAL], [f - mean(REAL) for f in FAKE]
    d = mean(map(f1, above_fake)) + mean(map(f2, above_real))
    g = mean(map(f1, above_real)) + mean(map(f2, above_fake))
    assert game.discriminator(real, fake).item() == pytest.approx(d, rel=1e-12)
    assert game.generator(fake, real).item() == pytest.approx(g, rel=1e-12)


def test_average_is_taken_per_member():
    real, fake = torch.tensor([[1.0, 2.0], [30.0, -4.0]]), torch.tensor([[0.5, -1.0], [7.0, 8.0]])
    game = RelativisticAverage(Standard())
    for k in range(2):
        assert game.discriminator(real, fake)[k] == game.discriminator(real[k : k + 1], fake[k : k + 1])[0]


def test_gradient_of_the_average_includes_the_means():
    """Both losses depend on differences only, so the gradients of all logits sum to zero."""
    real, fake = (row.requires_grad_() for row in rows(REAL, FAKE))
    for loss in (
        RelativisticAverage(LABELS).discriminator(real, fake),
        RelativisticAverage(LABELS).generator(fake, real),
    ):
        gradients = torch.autograd.grad(loss.sum(), (real, fake))
        assert all(gradient.abs().max() > 0.1 for gradient in gradients)
        assert sum(gradient.sum() for gradient in gradients).item() == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("wrapper", [RelativisticPairing, RelativisticAverage])
def test_relativistic_wasserstein_equals_wasserstein(wrapper):
    """Integral probability metrics are relativistic (section 4.2); the average counts them twice."""
    real, fake = rows(REAL, FAKE)
    times = 2 if wrapper is RelativisticAverage else 1
    game = wrapper(Wasserstein())
    torch.testing.assert_close(game.discriminator(real, fake), times * Wasserstein().discriminator(real, fake))
    torch.testing.assert_close(game.generator(fake, real), -times * Wasserstein().discriminator(real, fake))


def test_pairing_does_not_saturate():
    """The gradient of the generator's loss is 1 even if the discriminator is confident."""
    fake = torch.full((1, 4), -20.0, requires_grad=True)
    (derivative,) = torch.autograd.grad(
        RelativisticPairing(Standard()).generator(fake, torch.full((1, 4), 20.0)).sum(), fake
    )
    assert derivative.sum().item() == pytest.approx(-1.0)


@pytest.mark.parametrize(("of", "f1", "f2"), TERMS[:3], ids=NAMES[:3])
def test_smoothing_equals_the_formula(of, f1, f2):
    game, (real, fake) = LabelSmoothing(of, 0.1), rows(REAL, FAKE)
    expected = mean(0.9 * f1(r) + 0.1 * f2(r) for r in REAL) + mean(map(f2, FAKE))
    assert game.discriminator(real, fake).item() == pytest.approx(expected, rel=1e-12)
    assert torch.equal(game.generator(fake), of.generator(fake))


def test_smoothed_cross_entropy_is_minimal_at_the_logit_of_its_label():
    """The cross-entropy with label 0.9 is minimal at log 9; only real samples have this label."""
    logits = torch.tensor([[math.log(9.0)]], dtype=torch.float64, requires_grad=True)
    game = LabelSmoothing(Standard(), 0.1)
    (on_real,) = torch.autograd.grad(game.discriminator(logits, torch.zeros(1, 1)).sum(), logits)
    (on_fake,) = torch.autograd.grad(game.discriminator(torch.zeros(1, 1), logits).sum(), logits)
    assert on_real.item() == pytest.approx(0.0, abs=1e-12)
    assert on_fake.item() == pytest.approx(0.9, rel=1e-12)


def test_smoothing_of_least_squares_shifts_the_label():
    """(1 - s)(t - 1)^2 + s t^2 has the derivative of (t - (1 - s))^2."""
    real, fake = (row.requires_grad_() for row in rows(REAL, FAKE))
    gradients = [
        torch.autograd.grad(game.discriminator(real, fake).sum(), (real, fake))
        for game in (LabelSmoothing(LeastSquares(), 0.2), LeastSquares(real_label=0.8))
    ]
    torch.testing.assert_close(*gradients)


def test_amount_0_is_the_wrapped_game():
    real, fake = rows(REAL, FAKE)
    assert torch.equal(LabelSmoothing(Hinge(), 0.0).discriminator(real, fake), Hinge().discriminator(real, fake))


def test_wrapped_games_satisfy_the_protocol():
    for wrapper, of in product(
        (RelativisticPairing, RelativisticAverage, LabelSmoothing), (Standard(), Hinge(), LABELS)
    ):
        assert isinstance(wrapper(of), Game)
        assert isinstance(wrapper(of), TwoTerms) == (wrapper is LabelSmoothing)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RelativisticPairing(LeastSquares()), r"of=LeastSquares\(fake_label=0.0.*fake_label = -real_label"),
        (lambda: RelativisticAverage(LeastSquares()), "of=LeastSquares"),
        (lambda: RelativisticAverage(LabelSmoothing(Standard())), "of=LabelSmoothing.*symmetric terms"),
        (lambda: RelativisticPairing(RelativisticAverage(Standard())), "of=RelativisticAverage.*on_real and on_fake"),
        (lambda: LabelSmoothing(RelativisticPairing(Standard())), "of=RelativisticPairing"),
        (lambda: LabelSmoothing(Wasserstein()), r"of=Wasserstein\(\): .* is unbounded below"),
        (lambda: LabelSmoothing(Standard(), 0.5), "amount=0.5: expected a number 0 <= amount < 0.5"),
        (lambda: LabelSmoothing(Minimax(), float("nan")), "amount=nan"),
    ],
)
def test_invalid_combinations(make, message):
    with pytest.raises(ValueError, match=message):
        make()
