"""Muon compared with singular values in closed form; independence of the pack and of threads."""

from __future__ import annotations

import pytest
import torch

from gansweep.interfaces import Slot, UpdateContext
from gansweep.optimizers.adamw import AdamW
from gansweep.optimizers.muon import Muon, hidden_matrices, newton_schulz

NETWORK = (
    Slot("0.weight", (5, 7)),
    Slot("0.bias", (5,), "bias"),
    Slot("1.weight", (6, 5, 2, 2)),
    Slot("2.weight", (6,), "scale"),
    Slot("3.weight", (2, 6)),
)
SIZES = (35, 5, 120, 6, 12)


@pytest.fixture(params=[1, 2])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def turned(g, num_iterations=5):
    """Apply a s + b s^3 + c s^5 repeatedly to the singular values of g / |g|."""
    u, s, vh = torch.linalg.svd(g, full_matrices=False)
    s = s / s.square().sum().sqrt()
    for _ in range(num_iterations):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
    return u @ torch.diag(s) @ vh


@pytest.mark.parametrize("shape", [(5, 7), (7, 5), (8, 16), (1, 3), (6, 20)])
def test_newton_schulz_is_a_polynomial_of_the_singular_values(shape):
    g = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(newton_schulz(g, 5), turned(g), rtol=1e-11, atol=1e-12)


def test_hidden_matrices_are_turned_and_the_rest_is_adamws(drive):
    rule = Muon(weight_decay=0.1)
    random = torch.Generator().manual_seed(1)
    theta = torch.randn(2, sum(SIZES), generator=random, dtype=torch.float64)
    gradients = torch.randn(6, 2, sum(SIZES), generator=random, dtype=torch.float64)
    start, rates = theta.clone(), [0.02, 0.1]
    drive(rule, theta, gradients, rates, slots=NETWORK)
    slopes, begins = gradients.split(SIZES, 2), start.split(SIZES, 1)
    for n, found in enumerate(theta.split(SIZES, 1)):
        if n in (1, 3, 4):
            expected = begins[n].clone()
            inner = AdamW((0.9, 0.95), 1e-10, 0.1)
            drive(inner, expected, slopes[n], [rate * 0.015 for rate in rates])
        else:
            shape = (5, 7) if n == 0 else (6, 20)
            expected = torch.empty_like(found)
            for k, rate in enumerate(rates):
                w, m = begins[n][k].reshape(shape), torch.zeros(shape, dtype=torch.float64)
                for g in slopes[n][:, k]:
                    g = g.reshape(shape)
                    m = 0.95 * m + 0.05 * g
                    w = (1 - rate * 0.1) * w - rate * max(1, shape[0] / shape[1]) ** 0.5 * turned(0.05 * g + 0.95 * m)
                expected[k] = w.reshape(-1)
        torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-12)


def test_a_tall_matrix_moves_further(drive):
    """A member at rate 1 from zero moves by sqrt(rows / columns) times the turned gradient."""
    slots = (Slot("0", (12, 3)), Slot("1", (1, 12)))
    theta, gradient = torch.zeros(1, 48, dtype=torch.float64), torch.zeros(1, 1, 48, dtype=torch.float64)
    gradient[0, 0, :36] = torch.randn(36, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    drive(Muon(), theta, gradient, [1.0], slots=slots)
    expected = -2 * turned(gradient[0, 0, :36].view(12, 3))
    torch.testing.assert_close(theta[0, :36].view(12, 3), expected, rtol=1e-11, atol=1e-12)


def test_the_output_layer_is_no_hidden_matrix():
    assert [slot.name for slot in hidden_matrices(NETWORK)] == ["0.weight", "1.weight"]


def bits(k, rows, gradients, slots):
    rule = Muon()
    theta = rows[k].clone()
    state = rule.state(slots, theta)
    for t, gradient in enumerate(gradients):
        step, lr = torch.full((len(theta), 1), t + 1.0, dtype=torch.float64), torch.full((len(theta), 1), 0.1)
        rule.update(theta, gradient[k], state, UpdateContext(lr, step, slots))
    return theta


@pytest.mark.parametrize("shapes", [[(257, 131), (3, 257)], [(5, 7), (30, 9), (1, 30)], [(64, 100), (1, 64)]])
def test_a_member_is_the_same_alone_in_company_and_with_more_threads(shapes):
    slots = [Slot(str(n), shape) for n, shape in enumerate(shapes)]
    size = sum(a * b for a, b in shapes)
    random = torch.Generator().manual_seed(4)
    rows, gradients = torch.randn(3, size, generator=random), torch.randn(3, 3, size, generator=random)
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found += [bits(slice(None), rows, gradients, slots), bits([2, 0, 1], rows, gradients, slots)[[1, 2, 0]]]
            found.append(torch.cat([bits([k], rows, gradients, slots) for k in range(3)]))
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        assert torch.equal(other, found[0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Muon(momentum=1.0), "momentum=1.0: expected 0 <= momentum < 1"),
        (lambda: Muon(num_iterations=0), "num_iterations=0: expected a whole number"),
        (lambda: Muon(adam_rate=-1.0), "adam_rate=-1.0: expected a number >= 0"),
        (lambda: Muon(betas=(0.9, 1.0)), "betas="),
    ],
)
def test_a_setting_out_of_range_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
