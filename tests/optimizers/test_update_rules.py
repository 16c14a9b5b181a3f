"""Contracts of update rules, for every YAML of conf/optimizer."""

from __future__ import annotations

import io

import pytest
import torch

from gansweep.batched.parameter_chunks import state_of_part
from gansweep.interfaces import UpdateContext, UpdateRule

RATES = [1e-2, 3e-3, 0.1]


@pytest.fixture
def problem():
    """Rows (3, 40) in float32 and twelve noisy gradients for them."""
    random = torch.Generator().manual_seed(5)
    return torch.randn(3, 40, generator=random), torch.randn(12, 3, 40, generator=random)


def clone(state):
    return {name: value.clone() for name, value in state.items()}


def test_keeps_the_protocol_and_state_begins_with_the_member_axis(rule, slots, problem):
    theta, _ = problem
    assert isinstance(rule, UpdateRule)
    for name, value in rule.state(slots, theta).items():
        assert value.shape[0] == 3, name


def test_goes_downhill(rule, drive):
    curvature = torch.linspace(0.5, 2.0, 40)
    theta = torch.linspace(-1, 2, 120).reshape(3, 40)
    before = (curvature * theta**2).sum(1)
    drive(rule, theta, lambda at: curvature * at, RATES, num_steps=15)
    assert ((curvature * theta**2).sum(1) < before).all()


def test_at_rate_zero_nothing_moves(rule, drive, problem):
    theta, gradients = problem
    gradients[:, :, :5] = 0  # a parameter whose gradients were all zero
    before = theta.clone()
    drive(rule, theta, gradients, [0.0, 0.0, 0.0])
    assert torch.equal(theta, before)


def test_a_member_is_the_same_alone_and_in_any_company(rule, drive, problem):
    theta, gradients = problem
    together, reordered = theta.clone(), theta[[2, 0, 1]].clone()
    drive(rule, together, gradients, RATES)
    drive(rule, reordered, gradients[:, [2, 0, 1]], [RATES[k] for k in (2, 0, 1)])
    for k in range(3):
        alone = theta[k : k + 1].clone()
        drive(rule, alone, gradients[:, k : k + 1], RATES[k : k + 1])
        assert torch.equal(together[k], alone[0])
        assert torch.equal(reordered[[2, 0, 1].index(k)], alone[0])


def test_a_member_that_is_nan_leaves_the_others_alone(rule, drive, problem):
    theta, gradients = problem
    healthy, broken = theta.clone(), theta.clone()
    drive(rule, healthy, gradients, RATES)
    gradients[3, 1, 7] = float("nan")
    gradients[3, 1, 8] = float("inf")
    drive(rule, broken, gradients, RATES)
    assert torch.equal(broken[[0, 2]], healthy[[0, 2]])


def test_an_elementwise_rule_may_be_applied_in_stretches(rule, slots, problem):
    if not rule.elementwise:
        pytest.skip("moves whole parameters")
    theta, gradients = problem
    whole, cut = theta.clone(), theta.clone()
    lr = torch.tensor(RATES).reshape(3, 1)
    whole_state, cut_state = rule.state(slots, theta), rule.state(slots, theta)
    for t, gradient in enumerate(gradients):
        step = torch.full((3, 1), t + 1.0, dtype=torch.float64)
        context = UpdateContext(lr, step, slots)
        rule.update(whole, gradient, whole_state, context)
        for part in (slice(0, 13), slice(13, 14), slice(14, 40)):
            views = state_of_part(cut_state, part, last=part.stop == 40)
            rule.update(cut[:, part], gradient[:, part], views, context)
    assert torch.equal(whole, cut)


def test_resumes_to_the_last_bit(rule, drive, problem):
    theta, gradients = problem
    straight = theta.clone()
    drive(rule, straight, gradients, RATES)
    state = drive(rule, theta, gradients[:5], RATES)
    file = io.BytesIO()
    torch.save({"theta": theta, "state": clone(state)}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    drive(rule, saved["theta"], gradients[5:], RATES, state=saved["state"], first=6)
    assert torch.equal(saved["theta"], straight)


def test_leaves_the_gradient_as_it_was(rule, drive, problem):
    theta, gradients = problem
    before = gradients.clone()
    drive(rule, theta, gradients, RATES)
    assert torch.equal(gradients, before)


def test_members_may_be_at_different_steps(rule, slots, drive, problem):
    """A member at its first step trains beside one at its fifth."""
    theta, gradients = problem
    lr = torch.tensor([[1e-2]])
    old, new = theta[:1].clone(), theta[1:2].clone()
    old_state = drive(rule, old, gradients[:4, :1], [1e-2])
    new_state = rule.state(slots, new)
    both = torch.cat([old, new])
    state = {name: torch.cat([value, new_state[name]]) for name, value in old_state.items()}
    steps = torch.tensor([[5.0], [1.0]], dtype=torch.float64)
    rule.update(both, gradients[4, :2], state, UpdateContext(lr.expand(2, 1), steps, slots))
    rule.update(old, gradients[4, :1], old_state, UpdateContext(lr, steps[:1], slots))
    rule.update(new, gradients[4, 1:2], new_state, UpdateContext(lr, steps[1:], slots))
    assert torch.equal(both, torch.cat([old, new]))


def test_no_number_is_read_from_the_device(rule, slots):
    """Tensors without values represent a GPU, where reading a number waits for the device."""
    if any(name in repr(rule) for name in ("TorchOptimizer", "Shampoo", "SOAP")):
        pytest.skip("reads rates or step counts, as it says")
    theta = torch.zeros(3, 40, device="meta")
    step = torch.ones(3, 1, dtype=torch.float64, device="meta")
    rule.update(theta, torch.zeros_like(theta), rule.state(slots, theta), UpdateContext(step.float(), step, slots))


@pytest.mark.slow
def test_an_elementwise_rule_is_traced_into_one_graph(rule, slots, problem):
    """Only traced, not compiled: what stops the tracer would stop the compiler."""
    if not rule.elementwise:
        pytest.skip("moves whole parameters")
    theta, gradients = problem
    eager, traced, lr = theta.clone(), theta.clone(), torch.tensor(RATES).reshape(3, 1)
    eager_state, traced_state = rule.state(slots, eager), rule.state(slots, traced)
    update = torch.compile(rule.update, backend="aot_eager", fullgraph=True)
    for t in range(6):
        step = torch.full((3, 1), t + 1.0, dtype=torch.float64)
        context = UpdateContext(lr, step, slots)
        rule.update(eager, gradients[t], eager_state, context)
        update(traced, gradients[t], traced_state, context)
    torch.testing.assert_close(traced, eager, rtol=1e-5, atol=1e-6)
