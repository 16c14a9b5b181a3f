"""The optimizers that conf/optimizer offers, and a problem to try them on."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from gansweep.interfaces import Slot

CONF = Path(__file__).parents[2] / "conf"
CHOICES = sorted(path.stem for path in (CONF / "optimizer").glob("*.yaml"))

# Groups as one types them; a choice that holds another one is tried around a second, too.
SHELF = [*([choice] for choice in CHOICES), ["lookahead", "optimizer@optimizer.of=nadam"]]


@cache
def made(choice, *inside):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose(overrides=[f"+optimizer={choice}", *inside])
    return instantiate(config.optimizer, _convert_="all")


@pytest.fixture(params=SHELF, ids=",".join)
def rule(request):
    """Every choice of the group, as its yaml completes it."""
    return made(*request.param)


@pytest.fixture
def slots():
    """A small layer; sizes that leave a remainder in every vector register."""
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
            rule.update(slots, theta, gradient, state, lr, step)
        return state

    return run
