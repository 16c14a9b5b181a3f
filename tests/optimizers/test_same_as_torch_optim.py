"""Our rules are those of `torch.optim`, to 1e-12 over a thousand steps in float64."""

from __future__ import annotations

import pytest
import torch

from gansweep.interfaces import UpdateContext
from gansweep.optimizers.adam import Adam
from gansweep.optimizers.adamw import AdamW
from gansweep.optimizers.adopt import ADOPT
from gansweep.optimizers.nadam import NAdam
from gansweep.optimizers.rmsprop import RMSprop
from gansweep.optimizers.sgd import SGD

RATES = torch.tensor([[1e-2], [1e-3], [3e-2]], dtype=torch.float64)
SETTINGS = [
    (SGD, {}),
    (SGD, {"weight_decay": 0.1}),
    (SGD, {"momentum": 0.9}),
    (SGD, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    (SGD, {"momentum": 0.8, "dampening": 0.3}),
    (RMSprop, {}),
    (RMSprop, {"alpha": 0.9, "eps": 1e-3, "weight_decay": 0.1}),
    (RMSprop, {"momentum": 0.5, "centered": True}),
    (Adam, {}),
    (Adam, {"betas": (0.0, 0.9), "weight_decay": 0.1}),
    (Adam, {"betas": (0.5, 0.99), "eps": 1e-3, "amsgrad": True}),
    (AdamW, {}),
    (AdamW, {"betas": (0.5, 0.9), "weight_decay": 0.3, "amsgrad": True}),
    (NAdam, {}),
    (NAdam, {"betas": (0.5, 0.9), "weight_decay": 0.1, "momentum_decay": 0.1}),
    (NAdam, {"weight_decay": 0.3, "decoupled_weight_decay": True, "eps": 1e-3}),
]


@pytest.fixture
def double_precision():
    """Torch keeps NAdam's product in the default precision, whatever the parameters have."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize(("rule", "settings"), SETTINGS, ids=lambda x: getattr(x, "__name__", str(x)))
def test_equals_torch_on_a_noisy_quadratic(rule, settings, slots):
    """Three members, each with its own rate, which a schedule changes in every step."""
    random = torch.Generator().manual_seed(1)
    root = torch.randn(3, 9, 9, generator=random, dtype=torch.float64)
    hessian = root @ root.mT / 9 + 0.1 * torch.eye(9, dtype=torch.float64)
    theta = torch.randn(3, 9, generator=random, dtype=torch.float64)
    noise = torch.randn(1000, 3, 9, generator=random, dtype=torch.float64)
    theirs = [row.clone().requires_grad_() for row in theta]
    torch_rule = getattr(torch.optim, rule.__name__)
    optimizers = [torch_rule([row], lr=float(rate), **settings) for row, rate in zip(theirs, RATES, strict=True)]

    ours, state = rule(**settings), rule(**settings).state(slots, theta)
    for t in range(1000):
        lr = RATES * (1 + t % 7) / 7
        gradient = (hessian @ theta[:, :, None])[:, :, 0] + noise[t]
        before = gradient.clone()
        step = torch.full((3, 1), t + 1.0, dtype=torch.float64)
        ours.update(theta, gradient, state, UpdateContext(lr, step, slots))
        assert torch.equal(gradient, before)
        for k, (row, optimizer) in enumerate(zip(theirs, optimizers, strict=True)):
            row.grad = hessian[k] @ row.detach() + noise[t, k]
            optimizer.param_groups[0]["lr"] = float(lr[k])
            optimizer.step()
    expected = torch.stack([row.detach() for row in theirs])
    torch.testing.assert_close(theta, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "settings"), SETTINGS, ids=lambda x: getattr(x, "__name__", str(x)))
def test_is_traced_into_one_graph(rule, settings, slots):
    """Only traced, not compiled: what stops the tracer would stop the compiler."""
    ours = rule(**settings)
    start, gradient = torch.randn(2, 3, 40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    eager, traced = start.clone(), start.clone()
    eager_state, traced_state = ours.state(slots, start), ours.state(slots, start)
    update = torch.compile(ours.update, backend="aot_eager", fullgraph=True)
    for t in (1.0, 2.0):
        step = torch.full((3, 1), t, dtype=torch.float64)
        context = UpdateContext(RATES, step, slots)
        ours.update(eager, gradient, eager_state, context)
        update(traced, gradient, traced_state, context)
    torch.testing.assert_close(traced, eager, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("rule", "settings"), [(SGD, {"momentum": 0.9}), (RMSprop, {}), (ADOPT, {})])
def test_decoupled_weight_decay_shrinks_the_parameters_before_the_step_without_it(rule, settings, slots):
    theta = torch.linspace(-1, 2, 120, dtype=torch.float64).reshape(3, 40)
    gradients = torch.randn(4, 3, 40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    decayed, plain = theta.clone(), theta.clone()
    with_decay, without = rule(**settings, weight_decay=0.1, decoupled=True), rule(**settings)
    states = with_decay.state(slots, decayed), without.state(slots, plain)
    for t, gradient in enumerate(gradients, 1):
        context = UpdateContext(RATES, torch.full((3, 1), float(t), dtype=torch.float64), slots)
        if t > 1 or rule is not ADOPT:  # whose first step only initialises
            plain *= 1 - 0.1 * RATES
        with_decay.update(decayed, gradient, states[0], context)
        without.update(plain, gradient, states[1], context)
    torch.testing.assert_close(decayed, plain, rtol=1e-12, atol=1e-14)
    assert not torch.allclose(decayed, theta)
