"""Stability of the runs of a sweep that differ in their learning rates, and the runs that are expected to fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch

from gansweep.data.on_device import samples_on
from gansweep.edge.boundary import BATCHES, Growth, Linearization, at_rates, linearized, pack_of, tolerance
from gansweep.edge.linear_rule import NotLinear
from gansweep.interfaces import Schedule
from gansweep.training.run import Run

Rates = tuple[float, float]  # lr, lr_d

MARGIN = 30.0  # multiple of the boundary beyond which a run is expected to fail; provisional, see docs/edge.md
TOGETHER = 16  # members that are trained and linearized as one pack
MOST_STEPS = 100_000  # at which a schedule is evaluated
BEYOND = "beyond the boundary"
EXPECTED = "expected to diverge or to end worse than untrained"


class Verdict(NamedTuple):
    """Stability at one pair of rates.

    Args:
        growths: growth per step at these rates, by the number of steps before the linearization.
        warning: "", BEYOND, or EXPECTED with the reason.
    """

    growths: Mapping[int, Growth]
    warning: str


@dataclass(frozen=True)
class Stability:
    """Linearizations of runs that differ only in their learning rates.

    Args:
        steps: of the runs.
        start: linearization at the initial parameters.
        after: training steps before the other linearizations, 0 for none.
        later: by pair of rates, the linearization after training at them, or why there is none.
    """

    steps: int
    start: Linearization
    after: int = 0
    later: Mapping[Rates, Linearization | NotLinear] = field(default_factory=dict)

    @property
    def tolerance(self) -> float:
        """Growth per step that counts as stable."""
        return tolerance(self.steps)

    @property
    def cost(self) -> tuple[int, int]:
        """Number of gradients of both players, and of products with the Jacobian of their game."""
        linears = [self.start, *(linear for linear in self.later.values() if isinstance(linear, Linearization))]
        return (BATCHES + 1) * len(linears), sum(len(linear.game.jacobian) for linear in linears)

    def verdict(self, rates: Rates) -> Verdict:
        """Return the growth at a pair of rates, and the warning that follows from it."""
        growths, expected, beyond = {}, "", False
        later = self.later.get(rates)
        of = {0: self.start} | ({self.after: later} if isinstance(later, Linearization) else {})
        for steps, linear in of.items():
            growths[steps], far = linear.growth([rates, (rates[0] / MARGIN, rates[1] / MARGIN)])
            beyond = beyond or not growths[steps].excess <= self.tolerance
            if not expected and not far.excess <= self.tolerance:
                when = f"after {steps} steps" if steps else "at the initial parameters"
                expected = f"unstable {when} even at 1/{MARGIN:g} of the rates"
        if isinstance(later, NotLinear) and not expected:
            expected = f"after {self.after} steps at these rates: {later}"
        return Verdict(growths, f"{EXPECTED}: {expected}" if expected else BEYOND if beyond else "")


def stability(run: Run, rates: Sequence[Rates], after: int) -> Stability:
    """Return the linearizations of a run with other learning rates.

    Args:
        run: an adversarial run.
        rates: pairs of constant rates at which it is trained before the second linearization.
        after: training steps before it; 0 for none.

    Raises:
        NotLinear: an optimizer or the dynamics have no linear part.
    """
    samples = samples_on(torch.device("cpu"), run.data)
    smallest = min(rates)
    (start,) = linearized(pack_of(run, [at_rates(run.member, *smallest, steps=after + 1)], samples))
    if isinstance(start, NotLinear):
        raise start
    start.growth([smallest])  # raises NotLinear for dynamics without a linear part
    later: dict[Rates, Linearization | NotLinear] = {}
    different = sorted(set(rates)) if after else []
    for first in range(0, len(different), TOGETHER):
        part = different[first : first + TOGETHER]
        pack = pack_of(run, [at_rates(run.member, *pair, steps=after + 1) for pair in part], samples)
        for n, _ in enumerate(pack.steps(), start=1):
            if n == after:
                break
        later |= zip(part, linearized(pack), strict=True)
    return Stability(run.steps, start, after, later)


def largest_rates(run: Run) -> Rates:
    """Return the largest scheduled rates of the generator and of the discriminator."""
    g, d = (
        player.lr * largest_multiplier(player.schedule, run.steps)
        for player in (run.member.generator, run.member.discriminator)
    )
    return g, d


def largest_multiplier(schedule: Schedule, steps: int) -> float:
    """Return the largest multiplier of a schedule; in a run of more than `MOST_STEPS` steps, at equally spaced ones."""
    every = -(-steps // MOST_STEPS)
    if every == 1:
        return float(max(schedule.values(steps)))
    return max(schedule(step, steps) for step in (*range(0, steps, every), steps - 1))
