"""The optimizers of conf/optimizer, and a test problem."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from tests.construct import instantiate

from gansweep.cli.hydra_app import BASE
from gansweep.interfaces import Slot, UpdateContext

CONF = Path(__file__).parents[2] / "conf"
CHOICES = sorted(path.stem for path in (CONF / "optimizer").glob("*.yaml"))

# Choices as typed; one that contains another choice is also tested around a second one.
SHELF = [
    *([choice] for choice in CHOICES),
    ["lookahead", "optimizer@optimizer.of=radam", "optimizer.k=3"],
    ["lookahead", "optimizer@optimizer.of=optimistic_sgd", "optimizer@optimizer.of.of=muon"],
]


@cache
def made(choice, *inside):
    with initialize_config_dir(str(CONF), **BASE):
        config = compose(overrides=[f"+optimizer={choice}", *inside])
    return instantiate(config.optimizer)


@pytest.fixture(params=SHELF, ids=",".join)
def rule(request):
    """Return the rule of every choice, with the settings of its YAML."""
    return made(*request.param)


@pytest.fixture
def slots():
    """Return the slots of a small layer, whose sizes are not multiples of a vector register."""
    return [Slot("0.weight", (5, 7)), Slot("0.bias", (5,), "bias")]


@pytest.fixture
def drive(slots):
    """Run a rule: gradients (T, K, P) or a function of theta, rates (K,), steps counted from `first`."""

    def run(rule, theta, gradients, rates, state=None, first=1, num_steps=None, slots=slots):
        state = rule.state(slots, theta) if state is None else state
        lr = torch.tensor(rates, dtype=theta.dtype).reshape(-1, 1)
        for t in range(num_steps or len(gradients)):
            gradient = gradients(theta) if callable(gradients) else gradients[t]
            step = torch.full((len(theta), 1), float(first + t), dtype=torch.float64)
            rule.update(theta, gradient, state, UpdateContext(lr, step, slots))
        return state

    return run


@pytest.fixture
def follow():
    """Run a rule and a reference implementation, member by member, on noisy quadratics in float64.

    `reference(theta)` returns a function of (gradient, rate, step) that returns the next theta, all
    NumPy rows of one member. Returns the rule's last theta, its state, and the reference's theta.
    """

    def run(rule, reference, num_steps=300, scale=1.0, rates=(1e-2, 1e-3, 3e-2)):
        random = torch.Generator().manual_seed(1)
        slots, size = [Slot("w", (9,))], 9
        root = torch.randn(3, size, size, generator=random, dtype=torch.float64)
        hessian = root @ root.mT / size + 0.1 * torch.eye(size, dtype=torch.float64)
        theta = scale * torch.randn(3, size, generator=random, dtype=torch.float64)
        noise = 1 + torch.randn(num_steps, 3, size, generator=random, dtype=torch.float64)
        steps = [reference(row) for row in theta.numpy().copy()]
        theirs = theta.numpy().copy()
        state, lr = rule.state(slots, theta), torch.tensor(rates, dtype=torch.float64).reshape(3, 1)
        for t in range(1, num_steps + 1):
            rate = lr * (1 + t % 7) / 7
            gradient = (hessian @ theta[:, :, None])[:, :, 0] + noise[t - 1]
            step = torch.full((3, 1), float(t), dtype=torch.float64)
            rule.update(theta, gradient, state, UpdateContext(rate, step, slots))
            for k, their_step in enumerate(steps):
                gradient_k = hessian[k].numpy() @ theirs[k] + noise[t - 1, k].numpy()
                theirs[k] = their_step(gradient_k, float(rate[k]), t)
        return theta, state, torch.from_numpy(theirs)

    return run
