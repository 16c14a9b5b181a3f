"""Largest stable learning rates of a run, from the eigenvalues of its linearized training step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gansweep.algorithms.adversarial import Adversarial, AdversarialPack
from gansweep.batched.member import Member
from gansweep.dynamics.position import Both
from gansweep.edge.linear_rule import NotLinear, Response
from gansweep.edge.linear_step import LinearStep, Players
from gansweep.edge.reduced_game import ReducedGame, reduced
from gansweep.interfaces import Dynamics
from gansweep.schedules.constant import Constant
from gansweep.training.run import Run

STREAMS = "edge/"
BATCHES = 20  # whose gradients, at the same parameters, fill the optimizers' states
ITERATIONS = 24  # coordinates of each player
LOWEST, HIGHEST = 1e-8, 1e4  # learning rates that are tried
TOGETHER, ROUNDS = 16, 3  # rates of a round; rounds, each in the bracket of the previous one
GROWTH = 1e3  # growth of a perturbation during a run that counts as stable
NEUTRAL = 1e-12  # growth that counts as none
FLOW = 2.0  # factor of the growth by gradient flow that counts as stable
TINY = 1e-300


class Growth(NamedTuple):
    """Growth of a perturbation in one training step.

    Args:
        rate: log |z| of the eigenvalue z that exceeds gradient flow most; NaN if the matrix is not finite.
        flow: growth by gradient flow along the eigenvector of z in the same time, at least 0. It is above 0 in the
            directions that lead away from a saddle point.
        eigenvalue: z.
    """

    rate: float
    flow: float
    eigenvalue: complex

    @property
    def excess(self) -> float:
        """Growth that is due to the size of the steps."""
        return self.rate - FLOW * self.flow


class Boundary(NamedTuple):
    """Largest stable learning rate.

    Args:
        lr: of the generator, or of the discriminator if it is alone; 0 if no rate is stable, inf if all are.
        growth: at the smallest unstable rate that was found; None if all are stable.
    """

    lr: float
    growth: Growth | None


@dataclass(frozen=True)
class Linearization:
    """Training step of a run, linearized at the parameters of a member.

    Args:
        game: the game in preconditioned coordinates.
        g: optimizer of the generator.
        d: optimizer of the discriminator.
        dynamics: how the gradients become updates.
        critic_steps: updates of the discriminator in a step.
    """

    game: ReducedGame
    g: Response
    d: Response
    dynamics: Dynamics
    critic_steps: int

    def growth(self, rates: Sequence[tuple[float, float]], players: Players = "both") -> list[Growth]:
        """Return the growth at each pair of learning rates (lr, lr_d); with one player, the other one is fixed.

        Raises:
            NotLinear: the optimizers or the dynamics have no linear part.
        """
        n, of_g, of_d = self.game.num_generator, [lr for lr, _ in rates], [lr for _, lr in rates]
        g, d = self.g.at(of_g, n), self.d.at(of_d, len(self.game.jacobian) - n)
        step = LinearStep(self.game, g, d, self.dynamics, self.critic_steps, players)
        flows, parameters = step.flows(), step.parameters
        return [
            _growth(matrix, flow, parameters, step.period) for matrix, flow in zip(step.matrices(), flows, strict=True)
        ]

    def boundary(
        self, players: Players = "both", ratio: float = 1.0, *, tolerance: float = 0.0, rounds: int = ROUNDS
    ) -> Boundary:
        """Return the smallest learning rate at which a perturbation grows because of the size of the steps.

        Unstable is log |z| > tolerance + FLOW * flow (`Growth`). The ratio of the two rates is fixed.

        Args:
            players: both, or the one that is trained against the fixed other one.
            ratio: lr_d / lr.
            tolerance: growth log |z| per step that counts as stable.
            rounds: each divides the bracket of the boundary by TOGETHER - 1 on a logarithmic scale.
        """

        def unstable(rates: np.ndarray) -> list[Growth | None]:
            found = self.growth([(lr, lr if players == "discriminator" else lr * ratio) for lr in rates], players)
            return [None if growth.excess <= tolerance + NEUTRAL else growth for growth in found]

        return bracketed(unstable, rounds)


def tolerance(steps: int) -> float:
    """Return the growth per step by which a perturbation grows by the factor GROWTH in a run."""
    return math.log(GROWTH) / steps


def linearized(pack: AdversarialPack) -> list[Linearization | NotLinear]:
    """Return the linearization at the parameters of each member of a pack, which do not change.

    It is an error instead for members with an optimizer that has no linear part, or with gradients that are not finite.
    """
    for values in pack.scheduled:
        values.set(pack.done, pack.total_steps)
    following = [min(done + 1, total) for done, total in zip(pack.done, pack.total_steps, strict=True)]
    critic_steps = pack.scheduled_critic_steps.now(following, pack.total_steps)
    fields = [pack.game(pack.separate_inputs(f"{STREAMS}{n}/"), read_only=True).field() for n in range(BATCHES)]
    gradients = [_rows(pack, fields, name) for name in ("generator", "discriminator")]
    responses = [_responses(member, *of) for member, *of in zip(pack.members, *gradients, strict=True)]
    g, d = (
        torch.cat([_scale(response, player, row[0]) for response, row in zip(responses, of_player, strict=True)])
        for player, of_player in enumerate(gradients)
    )
    game = pack.game(pack.separate_inputs(f"{STREAMS}0/"), read_only=True)
    v = game.field(create_graph=True)
    scale = Both(tuple(pack.g.in_chunks(g)), tuple(pack.d.in_chunks(d)))
    games = reduced(lambda x: game.jvp(v, _as(v, x)).map(Tensor.double), _random(v), scale, ITERATIONS)
    rows = [
        response if isinstance(response, NotLinear) else Linearization(of, *response, pack.dynamics, critic_steps)
        for of, response in zip(games, responses, strict=True)
    ]
    return [rows[pack.place[k]] for k in range(len(rows))]


def _responses(member: Member, g: Tensor, d: Tensor) -> tuple[Response, Response] | NotLinear:
    """Return the responses of both players' optimizers of a member to gradients (T, P)."""
    if not (g.isfinite().all() and d.isfinite().all()):
        return NotLinear("the gradients are not finite")
    try:
        return Response.measured(member.generator.rule, g), Response.measured(member.discriminator.rule, d)
    except NotLinear as error:
        return error


def _scale(response: tuple[Response, Response] | NotLinear, player: int, like: Tensor) -> Tensor:
    return torch.zeros_like(like)[None] if isinstance(response, NotLinear) else response[player].scale


def _rows(pack: AdversarialPack, fields: Sequence[Both], name: str) -> Tensor:
    """Return the gradients of a player in float64, (K, T, P)."""
    join = pack.players[name].division.join
    return torch.stack([join(getattr(field, name)).detach().double().cpu() for field in fields], 1)


def _random(like: Both) -> Both:
    generator = torch.Generator().manual_seed(0)
    return like.map(
        lambda part: torch.randn(part.shape[1], generator=generator, dtype=torch.float64).expand(part.shape)
    )


def _as(like: Both, x: Both) -> Both:
    return like.map(lambda part, value: value.to(part), x)


def bracketed(unstable: Callable[[np.ndarray], list[Growth | None]], rounds: int) -> Boundary:
    """Return the smallest unstable rate, by repeated division of its bracket.

    >>> found = bracketed(lambda rates: [Growth(lr, 0, -1) if lr > 0.02 else None for lr in rates], 8)
    >>> round(found.lr, 6)
    0.02
    """
    low, high, growth = LOWEST, HIGHEST, None
    for n in range(rounds):
        rates = np.geomspace(low, high, TOGETHER)
        found = unstable(rates)
        first = next((at for at, value in enumerate(found) if value is not None), None)
        if first is None and n == 0:
            return Boundary(math.inf, None)
        if first == 0 and n == 0:
            return Boundary(0.0, found[0])
        if first is None or first == 0:  # rounding at the ends of the bracket
            break
        low, high, growth = float(rates[first - 1]), float(rates[first]), found[first]
    return Boundary(math.sqrt(low * high), growth)


def at_rates(member: Member, lr: float, lr_d: float) -> Member:
    """Return the member with constant learning rates, and without feedback and averages.

    The number of steps is kept, because other schedules, such as that of the penalties, are functions of step / steps.
    """
    g, d = (
        replace(player, lr=rate, schedule=Constant(), feedback=None)
        for player, rate in ((member.generator, lr), (member.discriminator, lr_d))
    )
    return replace(member, generator=g, discriminator=d, ema=None, ema_schedule=None)


def pack_of(run: Run, members: Sequence[Member], samples: Tensor) -> AdversarialPack:
    """Return a pack of members that differ in their rates.

    Raises:
        ValueError: the algorithm has no discriminator.
    """
    if not isinstance(run.algorithm, Adversarial):
        raise ValueError(f"algorithm={run.algorithm!r}: expected adversarial, the training of two players")
    trainer = replace(run.trainer, compile=False)
    return run.algorithm.pack([replace(run, member=member, trainer=trainer) for member in members], samples)


def _growth(matrix: np.ndarray, flow: np.ndarray, parameters: np.ndarray, steps: int) -> Growth:
    """Return the growth in a step, of the eigenvalue with the largest excess.

    Args:
        matrix: M of several steps.
        flow: change of the parameters by gradient flow in one step (n, n).
        parameters: indices of the parameters among the coordinates of M (n,).
        steps: number of steps of M.
    """
    if not np.isfinite(matrix).all():
        return Growth(math.nan, 0.0, complex("nan"))
    values, vectors = np.linalg.eig(matrix)
    moved = vectors[parameters]
    sizes = np.maximum((np.abs(moved) ** 2).sum(0), TINY)
    along = np.maximum((moved.conj() * (flow @ moved)).sum(0).real / sizes, 0.0)
    rates = np.log(np.maximum(np.abs(values), TINY)) / steps
    worst = int(np.argmax(rates - FLOW * along))
    return Growth(float(rates[worst]), float(along[worst]), complex(values[worst]))
