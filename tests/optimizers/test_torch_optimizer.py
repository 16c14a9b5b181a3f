"""The adapter updates a member as the torch optimizer updates an `nn.Module`."""

from __future__ import annotations

import pytest
import torch

from gansweep.interfaces import Slot
from gansweep.optimizers.torch_optimizer import TorchOptimizer

SETTINGS = [
    ("Adagrad", {"initial_accumulator_value": 0.5, "lr_decay": 0.01}),
    ("Adadelta", {}),
    ("Adafactor", {}),
    ("NAdam", {"betas": [0.8, 0.99]}),
    ("RAdam", {}),
    ("ASGD", {}),
    ("Rprop", {}),
    ("Adamax", {}),
    ("Adam", {"amsgrad": True}),
    ("SGD", {"momentum": 0.9, "dampening": 0.5}),
]


@pytest.mark.parametrize(("name", "settings"), SETTINGS)
def test_equals_the_optimizer_itself_to_the_last_bit(name, settings, slots, drive):
    random = torch.Generator().manual_seed(3)
    theta, gradients = torch.randn(2, 40, generator=random), torch.randn(9, 2, 40, generator=random)
    rates = [0.5, 1e-2]
    parameters = [[row[:35].view(5, 7).clone(), row[35:].clone()] for row in theta]
    optimizers = [
        getattr(torch.optim, name)(own, lr=float(torch.tensor(rate)), **settings)
        for own, rate in zip(parameters, rates, strict=True)
    ]
    drive(TorchOptimizer(f"torch.optim.{name}", settings), theta, gradients, rates)
    for gradient in gradients:
        for own, row, optimizer in zip(parameters, gradient, optimizers, strict=True):
            own[0].grad, own[1].grad = row[:35].view(5, 7), row[35:]
            optimizer.step()
    assert torch.equal(theta, torch.stack([torch.cat([weight.reshape(-1), bias]) for weight, bias in parameters]))


def test_a_rule_over_whole_tensors_sees_one_member_and_one_slot(drive):
    """Muon orthogonalises a matrix; the matrices of two members, or a flat row, would give another result."""
    theta = torch.zeros(2, 12)
    gradients = torch.randn(1, 2, 12, generator=torch.Generator().manual_seed(0))
    settings = {"weight_decay": 0.0, "momentum": 0.0, "nesterov": False}
    drive(TorchOptimizer("torch.optim.Muon", settings), theta, gradients, [1.0, 1.0], slots=[Slot("w", (3, 4))])
    for row in theta:
        singular = torch.linalg.svdvals(row.view(3, 4))
        assert singular.min() > 0.5
        assert singular.max() < 1.5


def test_a_network_that_it_cannot_train_is_refused(slots):
    with pytest.raises(ValueError, match="torch.optim.Muon: can't train this network"):
        TorchOptimizer("torch.optim.Muon").state(slots, torch.zeros(1, 40))


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("torch.optim.Adagard", {}, "name=torch.optim.Adagard: expected one of .*torch.optim.Adagrad"),
        ("os.system", {}, "name=os.system: expected a class derived from torch.optim.Optimizer"),
        ("torch.optim.Optimizer", {}, "name=torch.optim.Optimizer: expected one of"),
        ("torch.optim.LBFGS", {}, "expected one of"),
        ("torch.optim.Adagrad", {"rho": 0.9}, "unexpected keyword argument 'rho'.*accepts lr_decay"),
        ("torch.optim.Adagrad", {"lr": 0.1}, "expected neither lr nor params"),
        ("torch.optim.Adagrad", {"lr_decay": -1.0}, "Invalid lr_decay value: -1.0"),
        ("torch.optim.NAdam", {"betas": [0.9, 1.5]}, "Invalid beta"),
    ],
)
def test_a_wrong_name_or_setting_is_refused_at_construction(name, settings, message):
    with pytest.raises(ValueError, match=message):
        TorchOptimizer(name, settings)


def test_checking_a_config_does_not_build_an_optimizer(monkeypatch):
    """Building one would import torch's compiler, which takes seconds."""

    def build(*_):
        raise AssertionError("an optimizer was given parameters")

    monkeypatch.setattr(torch.optim.Optimizer, "add_param_group", build)
    TorchOptimizer("torch.optim.NAdam", {"betas": [0.9, 0.99]})
