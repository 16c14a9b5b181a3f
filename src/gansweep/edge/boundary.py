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
from gansweep.batched.member import Member, PlayerSettings
from gansweep.batched.pack import PackSettings
from gansweep.batched.player import Player
from gansweep.dynamics.position import Both
from gansweep.edge.linear_rule import LinearRule, NotLinear
from gansweep.edge.linear_step import LinearStep, Players
from gansweep.edge.reduced_game import ReducedGame, reduced
from gansweep.interfaces import Dynamics, Slot, UpdateContext, UpdateRule
from gansweep.labels import labels_of
from gansweep.schedules.constant import Constant
from gansweep.training.run import Run

STREAMS = "edge/"
BATCHES = 20  # gradients at the same parameters that fill the optimizers' states
ITERATIONS = 24  # coordinates of each player
LOWEST, HIGHEST = 1e-8, 1e4  # learning rates that are tried
TOGETHER, ROUNDS = 16, 3  # rates of a round; rounds, each in the bracket of the previous one
GROWTH = 1e3  # growth of a perturbation during a run that counts as stable
NEUTRAL = 1e-12  # growth that counts as none
FLOW = 2.0  # factor of the growth by gradient flow that counts as stable
TINY = 1e-300
SAME = 1e-3  # relative difference of two responses that counts as none


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
class Response:
    """Update rule of one player, and how it responds to the gradients at a point.

    Args:
        rule: the optimizer.
        gradients: gradients (T, 1) of a reference entry.
        scale: response of every parameter to a unit gradient, relative to that of the reference entry, (1, P).
    """

    rule: UpdateRule
    gradients: Tensor
    scale: Tensor

    @classmethod
    def measured(cls, player: Player, gradients: Tensor) -> Response:
        """Return the response of a player's optimizer after the gradients (T, P) of several batches.

        Raises:
            NotLinear: its update has no linear part, or the responses of two entries differ by more than a factor.
        """
        rule, slots = player.groups[0].rule, player.network.slots
        lr = torch.ones(1, 1, dtype=torch.float64)
        linear = LinearRule(rule, slots, _state_after(rule, slots, gradients, lr), lr, len(gradients))
        zeros = torch.zeros_like(gradients[:1])
        at_once, *state = linear(linear.zeros(), zeros + 1)
        later = linear([zeros, *state], zeros)[0]
        used = (gradients != 0).any(0, keepdim=True) & (at_once != 0)
        if not used.any():
            raise NotLinear("no linear part: all gradients are zero")
        ratio, size = (later / at_once)[used], at_once.abs()
        if (ratio - ratio.median()).abs().max() > SAME * max(1.0, abs(ratio.median().item())):
            raise NotLinear("no linear part: the entries respond at different speeds")
        middle = int(torch.where(used, (size - size[used].median()).abs(), math.inf).argmin())
        return cls(rule, gradients[:, middle : middle + 1], torch.where(used, size / size[0, middle], 0.0))

    def at(self, lr: Sequence[float], width: int) -> LinearRule:
        """Return the linear update of `width` reference entries at K learning rates."""
        rates, slots = torch.tensor(lr, dtype=torch.float64)[:, None], [Slot("x", (1,))]
        state = _state_after(self.rule, slots, self.gradients, rates)
        wide = {name: value.expand(-1, width) if value.ndim == 2 else value for name, value in state.items()}
        return LinearRule(self.rule, [Slot("x", (width,))], wide, rates, len(self.gradients))


def _state_after(rule: UpdateRule, slots: Sequence[Slot], gradients: Tensor, lr: Tensor) -> dict[str, Tensor]:
    """Return the state of a rule after gradients (T, P) at theta = 0, which does not move, for rates (K, 1)."""
    theta = gradients.new_zeros(len(lr), gradients.shape[1])
    state = rule.state(slots, theta)
    for n, gradient in enumerate(gradients, start=1):
        step = torch.full_like(lr, n)
        rule.update(theta.clone(), gradient.expand(len(lr), -1), state, UpdateContext(lr, step, slots))
    return state


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


def linearized(pack: AdversarialPack, iterations: int = ITERATIONS) -> Linearization:
    """Return the linearization at the parameters of a pack of one member, which do not change.

    Raises:
        NotLinear: an optimizer has no linear part.
    """
    for values in pack.scheduled:
        values.set(pack.done, pack.total_steps)
    fields = [pack.game(pack.separate_inputs(f"{STREAMS}{n}/"), read_only=True).field() for n in range(BATCHES)]
    if not all(bool(part.isfinite().all()) for field in fields for part in field.parts):
        raise NotLinear("the gradients are not finite")
    of_players = zip((pack.g, pack.d), (0, 1), strict=True)
    g, d = (Response.measured(player, _rows(fields, at)) for player, at in of_players)
    game = pack.game(pack.separate_inputs(f"{STREAMS}0/"), read_only=True)
    v = game.field(create_graph=True)
    scale = Both(tuple(pack.g.in_chunks(g.scale)), tuple(pack.d.in_chunks(d.scale)))
    start = _random(v)
    return Linearization(
        reduced(lambda x: game.jvp(v, _as(v, x)).map(Tensor.double), start, scale, iterations),
        g,
        d,
        pack.dynamics,
        pack.critic_steps,
    )


def _rows(fields: Sequence[Both], player: int) -> Tensor:
    """Return the gradients of a player in float64, (T, P)."""
    parts = [(field.generator, field.discriminator)[player] for field in fields]
    return torch.cat([torch.cat(chunks, 1).detach().double().cpu() for chunks in parts])


def _random(like: Both) -> Both:
    generator = torch.Generator().manual_seed(0)
    return like.map(lambda part: torch.randn(part.shape, generator=generator, dtype=torch.float64))


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


def at_rates(member: Member, lr: float, lr_d: float, steps: int) -> Member:
    """Return the member with constant learning rates, and without feedback, clipping and averages."""
    return replace(
        member,
        generator=PlayerSettings(member.generator.rule, lr, Constant()),
        discriminator=PlayerSettings(member.discriminator.rule, lr_d, Constant()),
        steps=steps,
        ema=None,
        ema_schedule=None,
    )


def pack_of(run: Run, members: Sequence[Member], samples: Tensor) -> AdversarialPack:
    """Return a pack of members that differ in their rates.

    Raises:
        ValueError: the algorithm has no discriminator.
    """
    if not isinstance(run.algorithm, Adversarial):
        raise ValueError(f"algorithm={run.algorithm!r}: expected adversarial, the training of two players")
    return AdversarialPack(
        members,
        run.model,
        samples,
        PackSettings.of(run),
        critic_steps=run.critic_steps,
        dynamics=run.dynamics,
        labels=labels_of(run.data).to(samples.device) if getattr(run.model, "conditional", False) else None,
    )


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
