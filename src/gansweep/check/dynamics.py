"""How both players' gradients become steps, where the right step is known."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import partial

import torch

from gansweep.check.bench import Subject, precisely
from gansweep.check.finding import Answer, Check
from gansweep.check.quadratic import Quadratic
from gansweep.interfaces import Dynamics

SIZE, RATES = 3, (0.1, 0.03)
CLOSE = 1e-9


def checks(subject: Subject) -> Iterator[Check]:
    """Try dynamics of the players' own; taking turns is the trainer's loop."""
    if subject.dynamics.joint:
        yield Check(
            "dynamics",
            "where nothing bends, each player descends",
            "hand descend() each player's own gradient, once and with its sign; corrections vanish where J = 0",
            precisely(partial(_descends, subject.dynamics)),
        )


def _descends(dynamics: Dynamics) -> Answer:
    """On linear losses, J = 0, all known dynamics are gradient descent: dx = -lr c."""
    c, start = torch.tensor([1.0, -2.0, 0.5, 3.0, -0.7]), torch.zeros(2, 5)
    game = Quadratic(torch.zeros(5, 5), c, start, SIZE, RATES)
    with torch.no_grad():
        copy.deepcopy(dynamics)(game)
    expected = -c * torch.tensor([RATES[0]] * SIZE + [RATES[1]] * (5 - SIZE))
    ratio = game.at[0] / expected
    told = [f"{name} {part.min():.4g} to {part.max():.4g}" for name, part in (("G", ratio[:SIZE]), ("D", ratio[SIZE:]))]
    holds = bool((game.at - expected).abs().max() < CLOSE)
    return holds, f"steps in units of lr times the own gradient: {', '.join(told)}"
