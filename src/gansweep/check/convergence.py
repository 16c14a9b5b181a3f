"""Checks of the trainer against the eigenvalues of the linearized game.

On the Dirac-GAN, D(x) = psi x with all data at 0, one training step near the equilibrium is a linear map M.
The moduli of its eigenvalues are the factors per step: below 1 it converges, at 1 it rotates, above 1 it diverges.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.member import PlayerSettings
from gansweep.check.bench import Subject, agreement, play, precisely
from gansweep.check.finding import Answer, Check
from gansweep.check.quadratic import Quadratic
from gansweep.dynamics.position import Both, Position
from gansweep.interfaces import UpdateRule
from gansweep.models.dirac import Dirac
from gansweep.optimizers.sgd import SGD
from gansweep.schedules.constant import Constant

LARGEST_RATE = 0.1  # learning rate of the generator; reduced where the game is stiff
MOST_APART = 100.0  # largest ratio of the two learning rates
NEAR = 1e-6  # distance at which the game is linear
STARTS = torch.tensor([[1.0, 0.3], [0.3, -1.0]], dtype=torch.float64)  # start directions (theta, psi), no component 0
AT_REST = (1e-10, -1.3e-10)  # not 0, where autograd gives a norm the gradient 0
STEPS, LONG = 12, 120
CLOSE = 1e-4
STILL = 1e-9  # moduli within this distance of 1 count as 1
LATE = 1000  # update count at which bias corrections have vanished


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks of the Jacobian, then of the dynamics with gradient descent, then of the optimizers."""
    game = NearRest(subject)
    yield Check(
        "dirac",
        "Jacobian matches finite differences",
        "autograd misses a term: look for create_graph and detach() in losses and penalties",
        precisely(partial(_jacobians, game)),
    )
    yield Check(
        "dirac",
        "gradient descent follows the eigenvalues",
        "the steps of the trainer differ from the dynamics: look for a factor, a sign or a stale gradient",
        precisely(partial(_plain, game)),
    )
    yield Check(
        "dirac",
        "optimizer steps follow the eigenvalues",
        "a step must depend only on theta, gradient, lr and state: look for attributes",
        precisely(partial(_own, game)),
    )
    yield Check(
        "dirac",
        f"{LONG} optimizer steps from (1, 1)",
        "the classes must work outside of a sweep, in float64",
        precisely(partial(_seen, game)),
    )


@dataclass
class Probe:
    """Dynamics that record v and J at the current point, by autograd and by differences, without moving."""

    joint: ClassVar[bool] = True
    v: Tensor = field(default_factory=lambda: torch.zeros(2))
    jacobian: Tensor = field(default_factory=lambda: torch.zeros(2, 2))
    differences: Tensor = field(default_factory=lambda: torch.zeros(2, 2))

    def __call__(self, game: Position) -> None:
        """Record v and J; the step taken is 0."""
        v, here = game.field(create_graph=True), game.here()
        self.v = _flat(v.detach())
        columns = [_flat(game.jvp(v, _unit(n))) for n in range(2)]
        self.jacobian = torch.stack(columns, 1).detach()
        self.differences = _second_differences(game, _flat(here))
        game.descend(v.detach() * 0.0)


def _flat(both: Both) -> Tensor:
    return torch.cat(both.parts, 1)[0]


def _both(x: Tensor) -> Both:
    return Both((x[:1, None],), (x[1:, None],))


def _unit(n: int) -> Both:
    return _both(torch.eye(2)[n])


def _second_differences(game: Position, x: Tensor, h: float = 1e-3) -> Tensor:
    """Return J (2, 2) by differences of the losses: rows d2 L_G / dtheta d(theta, psi), d2 L_D / dpsi d(theta, psi)."""
    found = torch.zeros(2, 2)
    for own in range(2):
        for other in range(2):
            total = 0.0
            for a in (1, -1):
                for b in (1, -1):
                    at = x.clone()
                    at[own] += a * h
                    at[other] += b * h
                    total += a * b * game.losses(_both(at))[own].item()
            found[own, other] = total / (4 * h * h)
    return found


def _pack(
    subject: Subject, rules: Sequence[UpdateRule], rates: Sequence[float], at: Sequence[float]
) -> AdversarialPack:
    """Return a Dirac-GAN pack at a point, without noise, clipping, schedules and EMA."""
    one = subject.member
    objective = replace(one.objective, clip=None, flip=0.0, instance_noise=0.0)
    g, d = (PlayerSettings(rule, rate, Constant()) for rule, rate in zip(rules, rates, strict=True))
    member = replace(
        one,
        objective=objective,
        generator=g,
        discriminator=d,
        steps=2 * LONG,
        penalty_schedule=None,
        noise_schedule=None,
        ema_schedule=None,
        ema=None,
    )
    pack = AdversarialPack(
        [member],
        Dirac(),
        torch.zeros(4, 1),
        batch_size=2,
        critic_steps=subject.critic_steps,
        dynamics=subject.dynamics,
    )
    for player, value in zip((pack.g, pack.d), at, strict=True):
        player.stretches[0].fill_(value)
    return pack


PLAIN = (SGD(), SGD())


class NearRest:
    """Linearization of a subject's Dirac-GAN at (0, 0)."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    def look(self, at: Sequence[float]) -> Probe:
        """Return v and J at a point."""
        probe = Probe()
        play(_pack(replace(self.subject.fresh(), dynamics=probe, critic_steps=1), PLAIN, (1.0, 1.0), at), 1)
        return probe

    @cached_property
    def here(self) -> Probe:
        """Gradient v and Jacobian J at the equilibrium."""
        return self.look(AT_REST)

    @cached_property
    def rests(self) -> bool:
        """Whether both gradients vanish at (0, 0) from all sides, so that a step there is a linear map."""
        looks = [self.look(at).v for at in ((0.0, 0.0), (NEAR, NEAR), (-NEAR, NEAR), (NEAR, -NEAR))]
        return all(bool(v.isfinite().all()) and v.abs().max().item() < math.sqrt(NEAR) for v in looks)

    @cached_property
    def rates(self) -> tuple[float, float]:
        """Learning rates in the configured ratio at which gradient steps of these dynamics are small."""
        one, jacobian, tiny = self.subject.member, self.here.jacobian, 1e-6
        ratio = min(max(one.discriminator.lr / one.generator.lr, 1 / MOST_APART), MOST_APART)
        largest = 0.0
        if jacobian.isfinite().all():
            moves = (torch.eye(2) - _matrix(self.subject, jacobian, (tiny, tiny * ratio))) / tiny
            largest = torch.linalg.eigvals(moves).abs().max().item()
        rate = min(LARGEST_RATE, LARGEST_RATE / ratio, 0.5 / max(largest, 1e-12))
        return rate, rate * ratio


NO_REST = None, "no linear equilibrium at (0, 0)"


def _jacobians(game: NearRest) -> Answer:
    if not game.rests:
        return NO_REST
    jacobian, expected = game.here.jacobian, game.here.differences
    apart = (jacobian - expected).abs().max().item() / max(1.0, expected.abs().max().item())
    values = torch.linalg.eigvals(jacobian)
    return apart < CLOSE, f"eigenvalues {_complex(values)}; finite differences differ by {apart:.2g}"


def _matrix(subject: Subject, jacobian: Tensor, rates: tuple[float, float]) -> Tensor:
    """Return the matrix M (2, 2) of one step of the dynamics for v = J x."""
    if not subject.dynamics.joint:
        turn_d, turn_g = torch.eye(2), torch.eye(2)
        turn_d[1] -= rates[1] * jacobian[1]
        turn_g[0] -= rates[0] * jacobian[0]
        moves = getattr(subject.dynamics, "generator_steps", 1)
        return torch.linalg.matrix_power(turn_g, moves) @ torch.linalg.matrix_power(turn_d, subject.critic_steps)
    game = Quadratic(jacobian, torch.zeros(2), NEAR * torch.eye(2), 1, rates)
    with torch.no_grad():
        subject.fresh().dynamics(game)
    return game.at.T / NEAR


def _plain(game: NearRest) -> Answer:
    if not game.rests:
        return NO_REST
    rates, columns = game.rates, []
    matrix = _matrix(game.subject, game.here.jacobian, rates)
    for start in (NEAR * STARTS).tolist():
        pack = _pack(game.subject.fresh(), PLAIN, rates, start)
        play(pack, STEPS)
        columns.append(torch.cat([pack.g.theta[0], pack.d.theta[0]]) / NEAR)
    played = torch.linalg.solve(STARTS, torch.stack(columns)).T
    return _compared(matrix, played, f"rates {rates[0]:.3g}, {rates[1]:.3g}: ")


def _compared(matrix: Tensor, played: Tensor, before: str) -> Answer:
    """Compare M^STEPS with the map of the trainer, and describe its eigenvalues."""
    apart = agreement(played, torch.linalg.matrix_power(matrix, STEPS))
    values = torch.linalg.eigvals(matrix)
    modulus = values.abs().max().item()
    measured = torch.linalg.eigvals(played).abs().max().item() ** (1 / STEPS)
    moduli = f"predicted modulus {modulus:.6f}, measured {measured:.6f}"
    return apart < CLOSE, f"{before}{moduli}: {verdict(values)}"


def verdict(values: Tensor) -> str:
    """Return a description of the map with these eigenvalues.

    >>> verdict(torch.tensor([0.9 + 0.1j, 0.9 - 0.1j]))
    'rotates and converges'
    """
    largest = values.abs().max().item()
    turns = bool((values.imag.abs() > STILL).any())
    if largest < 1 - STILL:
        return "rotates and converges" if turns else "converges"
    if largest > 1 + STILL:
        return "rotates and diverges" if turns else "diverges"
    return "rotates for ever" if turns else "neither converges nor diverges at a linear rate"


class Played:
    """One training step as a map of the full state z = (theta, psi, optimizer states)."""

    def __init__(self, subject: Subject, rates: tuple[float, float]) -> None:
        one = subject.fresh()
        rules = one.member.generator.rule, one.member.discriminator.rule
        self.pack = _pack(one, rules, rates, (0.0, 0.0))
        self.saved = self.pack.export(0)
        for player in ("generator", "discriminator"):
            self.saved[player]["updates"].fill_(LATE)
        self.size = len(self.read(self.saved))

    def places(self, saved: dict[str, Any]) -> list[Tensor]:
        """Return the tensors that z consists of."""
        players = saved["generator"], saved["discriminator"]
        states = [value for player in players for value in player["state"].values()]
        return [*(player["theta"] for player in players), *states]

    def read(self, saved: dict[str, Any]) -> Tensor:
        """Return z."""
        return torch.cat([place.flatten().double() for place in self.places(saved)])

    def __call__(self, z: Tensor, steps: int = 1) -> Tensor:
        """Return z after `steps` training steps from z."""
        at = 0
        for place in self.places(self.saved):
            place.copy_(z[at : at + place.numel()].view(place.shape))
            at += place.numel()
        self.pack.restore(0, self.saved)
        play(self.pack, steps)
        return self.read(self.pack.export(0))

    def matrix(self) -> Tensor:
        """Return the Jacobian dz' / dz at the equilibrium, by central differences."""
        columns = [(self(NEAR * e) - self(-NEAR * e)) / (2 * NEAR) for e in torch.eye(self.size)]
        return torch.stack(columns, 1)


def _is_linear(subject: Subject, rates: tuple[float, float]) -> bool:
    """Return whether half the distance gives half the step; False for Adam and other normalized steps."""
    far, near = (
        step(size * torch.eye(step.size)[:2].sum(0), 5)
        for size, step in ((size, Played(subject, rates)) for size in (1e-3, 5e-4))
    )
    return bool(far.isfinite().all()) and agreement(near * 2, far) < 1e-3


def _own(game: NearRest) -> Answer:
    if not game.rests:
        return NO_REST
    subject, rates = game.subject, game.rates
    if not _is_linear(subject, rates):
        return None, "no eigenvalues: the step is not proportional to the gradient"
    matrix, step = Played(subject, rates).matrix(), Played(subject, rates)
    played = torch.stack([step(NEAR * e, STEPS) / NEAR for e in torch.eye(step.size)], 1)
    return _compared(matrix, played, "")


def _seen(game: NearRest) -> Answer:
    """Train with the optimizers and report the distance to the equilibrium."""
    one = game.subject.fresh()
    pack = _pack(one, (one.member.generator.rule, one.member.discriminator.rule), game.rates, (1.0, 1.0))
    r = []
    for n, _ in enumerate(pack.steps()):
        r.append(math.hypot(pack.g.theta.item(), pack.d.theta.item()))
        if n + 1 == LONG:
            break
    third = LONG // 3
    first, last = max(r[:third]), max(r[-third:])
    if not all(map(math.isfinite, r)):
        return None, "diverges: not finite"
    trend = "approaches" if last < 0.95 * first else "moves away" if last > 1.05 * first else "keeps its distance"
    return None, f"r = 1.41 -> {r[-1]:.4g}, largest {first:.4g} then {last:.4g}: {trend}"


def _complex(values: Tensor) -> str:
    return ", ".join(f"{value.real:.4g}{value.imag:+.4g}i" for value in values.tolist())
