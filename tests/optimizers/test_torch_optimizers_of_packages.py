"""Optimizer classes of other packages train every member as they train a module alone."""

from __future__ import annotations

import importlib
import io

import pytest
import torch
from tests.optimizers import packages

from gansweep.config.instantiate import Broken, Constructor
from gansweep.interfaces import UpdateContext
from gansweep.optimizers.torch_optimizer import TorchOptimizer

OURS = "tests.optimizers.packages"
CLASSES = [
    (f"{OURS}.Counting", {}),
    ("pytorch_optimizer.Lion", {"weight_decay": 0.1}),
    ("pytorch_optimizer.ADOPT", {}),
    ("pytorch_optimizer.AggMo", {"betas": [0.0, 0.5, 0.9]}),
    ("pytorch_optimizer.SOAP", {"precondition_frequency": 3}),
    ("pytorch_optimizer.StableSPAM", {}),
    ("pytorch_optimizer.ScheduleFreeAdamW", {}),
    ("schedulefree.SGDScheduleFree", {}),
    ("schedulefree.AdamWScheduleFree", {"betas": [0.8, 0.99], "weight_decay": 0.1}),
    ("schedulefree.RAdamScheduleFree", {}),
    ("prodigyopt.Prodigy", {}),
    ("heavyball.AdamW", {}),
    ("heavyball.SFAdamW", {}),
]
RATES = [0.05, 2e-3, 0.1]
STEPS = 14


def made(name, settings):
    package = importlib.import_module(OURS) if name.startswith(OURS) else pytest.importorskip(name.partition(".")[0])
    if package.__name__ == "heavyball":  # its compiled form is tuned by measurements
        package.utils.compile_mode = None
    return TorchOptimizer(name, settings)


@pytest.fixture(params=CLASSES, ids=lambda param: param[0])
def rule(request):
    return made(*request.param)


@pytest.fixture
def problem():
    random = torch.Generator().manual_seed(3)
    theta = torch.randn(3, 40, generator=random)
    theta[:, 35:] = 0  # like biases
    return theta, torch.randn(STEPS, 3, 40, generator=random)


def rate(k, t):
    """Return a rate that follows a schedule, in float64."""
    return RATES[k] * (1 + t % 5) / 5


def play(rule, slots, theta, gradients, rows, state=None, first=1):
    """Run a rule on rows of the problem from step `first` on, in place."""
    state = rule.state(slots, theta) if state is None else state
    for t, gradient in enumerate(gradients, first):
        lr = torch.tensor([[rate(k, t)] for k in rows], dtype=torch.float64)
        step = torch.full((len(rows), 1), float(t), dtype=torch.float64)
        rule.update(theta, gradient, state, UpdateContext(lr, step, slots))
    return state


def theirs(rule, theta, gradients, k):
    """Return the parameters (P,) in train mode and in eval mode after the same steps of the class itself."""
    own = [theta[k, :35].view(5, 7).clone(), theta[k, 35:].clone()]
    optimizer = rule._class(own, lr=rate(k, 1), **rule._arguments)
    if hasattr(optimizer, "train"):
        optimizer.train()
    for t, gradient in enumerate(gradients, 1):
        optimizer.param_groups[0]["lr"] = rate(k, t)
        own[0].grad, own[1].grad = gradient[k, :35].view(5, 7).clone(), gradient[k, 35:].clone()
        optimizer.step()
    trained = torch.cat([p.detach().flatten() for p in own])
    if hasattr(optimizer, "eval"):
        optimizer.eval()
    return trained, torch.cat([p.detach().flatten() for p in own])


def test_equals_the_class_itself_to_the_last_bit_in_both_modes(rule, slots, problem):
    theta, gradients = problem
    expected = [theirs(rule, theta, gradients, k) for k in range(3)]
    state = play(rule, slots, theta, gradients, range(3))
    trained = torch.stack([trained for trained, _ in expected])
    if rule.name == "pytorch_optimizer.SOAP":  # its own matrices are transposed in memory, so their products round
        torch.testing.assert_close(theta, trained, rtol=1e-4, atol=1e-5)
    else:
        assert torch.equal(theta, trained)
    if hasattr(rule, "evaluated"):
        evaluated = rule.evaluated(theta, state)
        assert torch.equal(evaluated, torch.stack([judged for _, judged in expected]))
        assert torch.equal(theta, trained)  # evaluation changes nothing
    else:
        assert torch.equal(expected[0][0], expected[0][1])


def test_a_member_is_the_same_alone(rule, slots, problem):
    theta, gradients = problem
    alone = theta[2:].clone()
    play(rule, slots, theta, gradients, range(3))
    play(rule, slots, alone, gradients[:, 2:], [2])
    assert torch.equal(alone[0], theta[2])


def test_resumes_to_the_last_bit_from_tensors(rule, slots, problem):
    theta, gradients = problem
    straight = theta.clone()
    play(rule, slots, straight, gradients, range(3))
    state = play(rule, slots, theta, gradients[:6], range(3))
    file = io.BytesIO()
    torch.save({"theta": theta, "state": state}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    other = TorchOptimizer(rule.name, rule.settings)
    filled = other.state(slots, saved["theta"])
    for key, value in saved["state"].items():
        filled[key].copy_(value)
    play(other, slots, saved["theta"], gradients[6:], range(3), filled, first=7)
    assert torch.equal(saved["theta"], straight)


def test_before_the_first_step_evaluations_use_the_initial_parameters(slots, problem):
    rule = made("schedulefree.AdamWScheduleFree", {})
    theta, _ = problem
    assert torch.equal(rule.evaluated(theta, rule.state(slots, theta)), theta)


def test_a_rate_of_zero_is_accepted_by_classes_that_refuse_it(slots, problem):
    rule = made("prodigyopt.Prodigy", {})
    theta, gradients = problem
    before, state = theta.clone(), rule.state(slots, theta)
    zero, step = torch.zeros(3, 1), torch.ones(3, 1, dtype=torch.float64)
    rule.update(theta, gradients[0], state, UpdateContext(zero, step, slots))
    assert torch.equal(theta, before)


def test_the_gradient_is_not_changed(slots, problem):
    theta, gradients = problem
    before = gradients.clone()
    play(TorchOptimizer(f"{OURS}.InPlace"), slots, theta, gradients, range(3))
    assert torch.equal(gradients, before)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("NeedsClosure", "its step needs a closure"),
        ("Hidden", "a step from its stored state differs"),
        ("Random", "draws from global random generators"),
        ("Growing", "state weight/all changes its layout"),
        ("Late", "state weight/sum changes its shape"),
        ("Object", "state 'weight/object' is of type object"),
        ("WithoutRate", "expected an optimizer class with the arguments params and lr"),
        ("Nothing", "can't be imported"),
        ("random", "expected a class derived from torch.optim.Optimizer"),
    ],
)
def test_a_class_that_can_not_be_trained_is_refused_at_construction(name, message):
    with pytest.raises(ValueError, match=f"name={OURS}.{name}: .*{message}"):
        TorchOptimizer(f"{OURS}.{name}")


def test_psgd_kron_is_refused_because_of_its_random_numbers():
    """docs/howto/add_an_optimizer.md says so; if a later version takes a generator, it becomes available."""
    pytest.importorskip("pytorch_optimizer")
    with pytest.raises(ValueError, match=r"name=pytorch_optimizer\.Kron: draws from global random generators"):
        TorchOptimizer("pytorch_optimizer.Kron", {})


def test_a_wrong_setting_is_named():
    with pytest.raises(ValueError, match="unexpected keyword argument 'beta'"):
        TorchOptimizer(f"{OURS}.Plain", {"beta": 1})


def test_only_classes_of_allowed_modules_are_imported():
    node = {"_target_": "gansweep.optimizers.torch_optimizer.TorchOptimizer", "name": f"{OURS}.Plain"}
    make = Constructor()
    assert isinstance(make(dict(node), "optimizer"), Broken)
    (problem,) = make.problems
    assert str(problem).startswith(f"optimizer.name={OURS}.Plain: {OURS}.Plain is not in an allowed module")
    assert Constructor(allow=["tests"])(dict(node), "optimizer")._class is packages.Plain
