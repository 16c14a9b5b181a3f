"""Lookahead compared with a loop around torch's optimizers, and on a game that it stabilises."""

from __future__ import annotations

import pytest
import torch

from gansweep.optimizers.adam import Adam
from gansweep.optimizers.lookahead import Lookahead
from gansweep.optimizers.schedule_free_sgd import ScheduleFreeSGD
from gansweep.optimizers.sgd import SGD


def around_torch(make, k, alpha):
    """Algorithm 1 with an inner and an outer loop."""

    def start(theta):
        fast, slow = torch.from_numpy(theta).clone().requires_grad_(), torch.from_numpy(theta).clone()
        optimizer = make([fast])

        def step(g, lr, t):
            nonlocal slow
            fast.grad = torch.from_numpy(g)
            optimizer.param_groups[0]["lr"] = lr
            optimizer.step()
            if t % k == 0:
                slow = slow + alpha * (fast.detach() - slow)
                fast.data.copy_(slow)
            return fast.detach().numpy()

        return step

    return start


@pytest.mark.parametrize(
    ("of", "make"),
    [(Adam(), torch.optim.Adam), (SGD(momentum=0.9), lambda params: torch.optim.SGD(params, momentum=0.9))],
)
@pytest.mark.parametrize(("k", "alpha"), [(5, 0.5), (7, 0.8)])
def test_equals_the_loops(follow, of, make, k, alpha):
    theta, _, expected = follow(Lookahead(of, k, alpha), around_torch(make, k, alpha))
    torch.testing.assert_close(theta, expected, rtol=1e-12, atol=1e-12)


def test_slow_weights_are_judged_and_move_every_k_steps(drive):
    rule, theta = Lookahead(SGD(), k=3, alpha=0.25), torch.zeros(1, 1, dtype=torch.float64)
    state, judged, trained = rule.state((), theta), [], []
    for t in range(1, 7):
        drive(rule, theta, -torch.ones(1, 1, 1, dtype=torch.float64), [1.0], state, first=t)
        trained.append(theta.item())
        judged.append(rule.evaluated(theta, state).item())
    assert trained == [1, 2, 0.75, 1.75, 2.75, 1.5]
    assert judged == [0, 0, 0.75, 0.75, 0.75, 1.5]


def test_alpha_of_one_changes_no_bit(drive):
    random = torch.Generator().manual_seed(2)
    theta, gradients = torch.randn(2, 40, generator=random), torch.randn(9, 2, 40, generator=random)
    plain = theta.clone()
    drive(Adam(), plain, gradients, [0.1, 0.2])
    drive(Lookahead(Adam(), k=2, alpha=1.0), theta, gradients, [0.1, 0.2])
    assert torch.equal(theta, plain)


def test_spirals_into_the_saddle_that_descent_spirals_out_of(drive):
    """On x y with w = x + i y, a cycle multiplies w by 1 - alpha + alpha (1 + i eta)^k."""
    theta = torch.tensor([[1.0], [0.0]], dtype=torch.float64)

    def field(at):
        return torch.stack([at[1], -at[0]])

    drive(Lookahead(SGD(), k=5, alpha=0.5), theta, field, [0.3, 0.3], num_steps=20)
    expected = (0.5 + 0.5 * (1 + 0.3j) ** 5) ** 4
    assert complex(*theta[:, 0].tolist()) == pytest.approx(expected, rel=1e-12)
    assert abs(expected) < 0.5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Lookahead(Adam(), k=0), "k=0: expected a whole number"),
        (lambda: Lookahead(Adam(), alpha=1.5), "alpha=1.5: expected 0 < alpha <= 1"),
        (lambda: Lookahead(ScheduleFreeSGD()), "of=ScheduleFreeSGD.*: expected a rule"),
    ],
)
def test_a_setting_out_of_range_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
