"""Check of the dynamics on linear losses, where the correct step is known."""

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
    """Yield the check for joint dynamics; alternating updates are the trainer's own loop."""
    if subject.dynamics.joint:
        yield Check(
            "dynamics",
            "gradient descent on linear losses",
            "call descend() once with each player's own gradient; corrections must vanish where J = 0",
            precisely(partial(_descends, subject.dynamics)),
        )


def _descends(dynamics: Dynamics) -> Answer:
    """Compare with gradient descent, dx = -lr c, which all known dynamics reduce to on linear losses (J = 0)."""
    c, start = torch.tensor([1.0, -2.0, 0.5, 3.0, -0.7]), torch.zeros(2, 5)
    game = Quadratic(torch.zeros(5, 5), c, start, SIZE, RATES)
    with torch.no_grad():
        copy.deepcopy(dynamics)(game)
    expected = -c * torch.tensor([RATES[0]] * SIZE + [RATES[1]] * (5 - SIZE))
    ratio = game.at[0] / expected
    ratios = [
        f"{name} {part.min():.4g} to {part.max():.4g}" for name, part in (("G", ratio[:SIZE]), ("D", ratio[SIZE:]))
    ]
    holds = bool((game.at - expected).abs().max() < CLOSE)
    return holds, f"steps in units of lr times the player's own gradient: {', '.join(ratios)}"
