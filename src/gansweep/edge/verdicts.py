"""Stability of the runs of a sweep that differ in their learning rates, and the runs that are expected to fail."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.data.on_device import samples_on
from gansweep.edge.boundary import BATCHES, Growth, Linearization, at_rates, linearized, pack_of, tolerance
from gansweep.edge.linear_rule import NotLinear
from gansweep.formatting import counted
from gansweep.interfaces import Schedule
from gansweep.training.run import Run

Rates = tuple[float, float]  # lr, lr_d

FAR = 70.0  # distance moved beyond which a run is expected to fail, from docs/records/edge.md
TOGETHER = 16  # members that are trained and linearized as one pack, at most
MOST_PARAMETERS = 2**21  # of a pack with several members; a linearization takes about 1 KiB of memory for each
MOST_STEPS = 100_000  # at which a schedule is evaluated
BEYOND = "beyond the boundary"
EXPECTED = "expected to diverge or to end worse than untrained"


class Moved(NamedTuple):
    """How far training has moved the parameters of each player from the initial ones.

    ||theta_n - theta_0|| / ||theta_0||; infinity if theta_n is not finite, NaN if theta_0 is 0 and theta_n finite.
    """

    generator: float
    discriminator: float


class Later(NamedTuple):
    """State of a run after a short training at its own rates.

    Args:
        linear: linearization, or why there is none.
        moved: distance of its parameters from the initial ones.
    """

    linear: Linearization | NotLinear
    moved: Moved


class Verdict(NamedTuple):
    """Stability at one pair of rates.

    Args:
        growths: growth per step at these rates, by the number of steps before the linearization.
        moved: distance moved in the short training; None without one.
        warning: "", BEYOND, or EXPECTED with the reason.
    """

    growths: Mapping[int, Growth]
    moved: Moved | None
    warning: str


@dataclass(frozen=True)
class Stability:
    """Linearizations and short trainings of runs that differ only in their learning rates.

    Args:
        steps: of the runs.
        start: linearization at the initial parameters, or why there is none.
        after: training steps before the other linearizations, 0 for none.
        later: by pair of rates, the state after training at them.
    """

    steps: int
    start: Linearization | NotLinear
    after: int = 0
    later: Mapping[Rates, Later] = field(default_factory=dict)

    @property
    def tolerance(self) -> float:
        """Growth per step that counts as stable."""
        return tolerance(self.steps)

    @property
    def cost(self) -> tuple[int, int]:
        """Number of gradients of both players, and of products with the Jacobian of their game."""
        all_of_them = (self.start, *(later.linear for later in self.later.values()))
        linears = [linear for linear in all_of_them if isinstance(linear, Linearization)]
        return (BATCHES + 1) * len(linears), sum(len(linear.game.jacobian) for linear in linears)

    def verdict(self, rates: Rates) -> Verdict:
        """Return the growth at a pair of rates and the distance moved, and the warning that follows from them."""
        later = self.later.get(rates)
        linears = {0: self.start} | ({self.after: later.linear} if later else {})
        growths = {
            steps: linear.growth([rates])[0] for steps, linear in linears.items() if isinstance(linear, Linearization)
        }
        beyond = any(not growth.excess <= self.tolerance for growth in growths.values())
        reason = _reason(later, self.after) if later else ""
        warning = f"{EXPECTED}: {reason}" if reason else BEYOND if beyond else ""
        return Verdict(growths, later.moved if later else None, warning)


def _reason(later: Later, after: int) -> str:
    """Return why a run is expected to fail; empty if it is not."""
    if math.inf in later.moved:
        return f"after {counted(after, 'step')} at these rates its parameters are not finite"
    player, distance = max(later.moved._asdict().items(), key=lambda item: (item[1] > FAR, item[1]))
    if distance > FAR:
        return f"in {counted(after, 'step')} at these rates its {player} moved by {distance:.3g} times its initial norm"
    return ""


def stability(run: Run, rates: Sequence[Rates], after: int) -> Stability:
    """Return the linearizations and short trainings of a run with other learning rates.

    Args:
        run: an adversarial run.
        rates: pairs of constant rates at which it is trained before the second linearization.
        after: training steps before it, at most those of the run; 0 for none.
    """
    after = min(after, run.steps)
    samples = samples_on(torch.device("cpu"), run.data)
    smallest = min(rates)
    initial = pack_of(run, [at_rates(run.member, *smallest)], samples)
    start, together = _linear(initial)[0], _together(initial)
    later: dict[Rates, Later] = {}
    different = sorted(set(rates)) if after else []
    for first in range(0, len(different), together):
        part = different[first : first + together]
        pack = pack_of(run, [at_rates(run.member, *pair) for pair in part], samples)
        later |= zip(part, _trained(pack, after), strict=True)
    return Stability(run.steps, start, after, later)


def _together(pack: AdversarialPack) -> int:
    """Return how many members with the networks of a pack are trained and linearized together."""
    num_parameters = sum(player.theta.shape[1] for player in pack.players.values())
    return max(1, min(TOGETHER, MOST_PARAMETERS // num_parameters))


def _trained(pack: AdversarialPack, after: int) -> Iterator[Later]:
    """Train a pack, and yield the state of each member."""
    players = [pack.g, pack.d]
    initial = [player.theta.clone() for player in players]
    for n, _ in enumerate(pack.steps(), start=1):
        if n == after:
            break
    distances = [_distances(player.theta, before) for player, before in zip(players, initial, strict=True)]
    for row, linear in zip(pack.place, _linear(pack), strict=True):
        yield Later(linear, Moved(*(distance[row].item() for distance in distances)))


def _distances(theta: Tensor, initial: Tensor) -> Tensor:
    """Return ||theta - initial|| / ||initial|| of each row: inf if theta is not finite, else NaN if initial is 0."""
    norm = initial.double().norm(dim=1)
    distance = torch.where(norm > 0, (theta.double() - initial.double()).norm(dim=1) / norm, math.nan)
    return torch.where(theta.isfinite().all(1), distance, math.inf)


def _linear(pack: AdversarialPack) -> list[Linearization | NotLinear]:
    """Return the linearizations of a pack, or why there are none, also if its dynamics have no linear part."""
    linears = linearized(pack)
    for at, linear in enumerate(linears):
        if isinstance(linear, Linearization):
            try:
                linear.growth([(1.0, 1.0)])
            except NotLinear as error:
                linears[at] = error
    return linears


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
