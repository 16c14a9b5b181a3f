"""Checks of the trainer against the eigenvalues of the linearized game.

On the Dirac-GAN, D(x) = psi x with all data at 0, one training step near the equilibrium is a
linear map M. The moduli of its eigenvalues are the factors per step: below 1 it converges, at 1 it
rotates, above 1 it diverges.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice, product
from typing import Any, ClassVar

import torch
from torch import Tensor

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.member import PlayerSettings
from gansweep.batched.pack import PackSettings
from gansweep.check.bench import PLAYERS, Subject, in_float64, play, relative_error
from gansweep.check.dynamics import Quadratic
from gansweep.check.finding import Answer, Check, requirement
from gansweep.dynamics.position import Both, Position
from gansweep.interfaces import UpdateRule
from gansweep.models.dirac import Dirac
from gansweep.optimizers.sgd import SGD
from gansweep.schedules.constant import Constant

LARGEST_RATE = 0.1  # learning rate of the generator; reduced where the game is stiff
LARGEST_RATIO = 100.0  # of the two learning rates
NEAR = 1e-6  # distance at which the game is linear
STARTS = torch.tensor([[1.0, 0.3], [0.3, -1.0]], dtype=torch.float64)  # start directions (theta, psi), no component 0
EQUILIBRIUM = (1e-10, -1.3e-10)  # not 0, where autograd gives a norm the gradient 0
STEPS, LONG = 12, 120
TOLERANCE = 1e-4
NEUTRAL = 1e-9  # moduli within this distance of 1 count as 1
LATE = 1000  # update count at which bias corrections have vanished
GRADIENT_DESCENT = (SGD(), SGD())
NOT_AUTONOMOUS = None, "no eigenvalues: a step of these dynamics depends on its number"
NO_EQUILIBRIUM = None, "no linear equilibrium at (0, 0)"


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks of the Jacobian, of gradient descent and of the optimizers."""
    game = Linearization(subject)
    for required in (_jacobian, _gradient_descent, _optimizers, _trajectory):
        yield required.check("dirac", game)


@dataclass
class Probe:
    """Dynamics that record v, J and its finite differences, and take no step."""

    joint: ClassVar[bool] = True
    v: Tensor = field(default_factory=lambda: torch.zeros(2))
    jacobian: Tensor = field(default_factory=lambda: torch.zeros(2, 2))
    differences: Tensor = field(default_factory=lambda: torch.zeros(2, 2))

    def __call__(self, game: Position) -> None:
        """Record v and J; the step taken is 0."""
        v, x = game.field(create_graph=True), game.here()
        self.v = _flat(v.detach())
        self.jacobian = torch.stack([_flat(game.jvp(v, _both(e))) for e in torch.eye(2)], 1).detach()
        self.differences = _second_differences(game, _flat(x))
        game.descend(v.detach() * 0.0)


def _flat(vector: Both) -> Tensor:
    return torch.cat(vector.parts, 1)[0]


def _both(x: Tensor) -> Both:
    return Both((x[:1, None],), (x[1:, None],))


def _second_differences(game: Position, x: Tensor, h: float = 1e-3) -> Tensor:
    """Return J (2, 2) by second differences: rows d2 L_G / dtheta dx and d2 L_D / dpsi dx."""
    jacobian, unit = torch.zeros(2, 2), torch.eye(2)
    for i, j in product(range(2), repeat=2):
        total = 0.0
        for a, b in product((1, -1), repeat=2):
            total += a * b * game.losses(_both(x + a * h * unit[i] + b * h * unit[j]))[i].item()
        jacobian[i, j] = total / (4 * h * h)
    return jacobian


def _pack(
    subject: Subject, rules: Sequence[UpdateRule], rates: Sequence[float], position: Sequence[float]
) -> AdversarialPack:
    """Return a Dirac-GAN pack at (theta, psi), without noise, clipping, lazy penalties, schedules and EMA."""
    objective = subject.member.objective
    every_update = {
        name: replace(penalty, every=1) if hasattr(penalty, "every") else penalty  # type: ignore[type-var]
        for name, penalty in objective.penalties.items()
    }
    g, d = (PlayerSettings(rule, rate, Constant()) for rule, rate in zip(rules, rates, strict=True))
    member = replace(
        subject.member,
        objective=replace(objective, penalties=every_update, clip=None, flip=0.0, instance_noise=0.0),
        generator=g,
        discriminator=d,
        steps=2 * LONG,
        penalty_schedule=None,
        noise_schedule=None,
        ema_schedule=None,
        ema=None,
    )
    critic_steps, dynamics = subject.critic_steps, subject.dynamics
    samples = torch.zeros(4, 1)
    pack = AdversarialPack([member], Dirac(), samples, PackSettings(2), critic_steps=critic_steps, dynamics=dynamics)
    for player, value in zip((pack.g, pack.d), position, strict=True):
        player.chunks[0].fill_(value)
    return pack


class Linearization:
    """Linearization of a subject's Dirac-GAN at (0, 0)."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    def probe(self, position: Sequence[float]) -> Probe:
        """Return v and J at a position (theta, psi)."""
        probe = Probe()
        subject = replace(self.subject.fresh(), dynamics=probe, critic_steps=1)
        play(_pack(subject, GRADIENT_DESCENT, (1.0, 1.0), position), 1)
        return probe

    @cached_property
    def at_equilibrium(self) -> Probe:
        """Gradient v and Jacobian J at the equilibrium."""
        return self.probe(EQUILIBRIUM)

    @cached_property
    def exists(self) -> bool:
        """Whether both gradients vanish at (0, 0) from all sides; a step is then a linear map."""
        fields = [self.probe(x).v for x in ((0.0, 0.0), (NEAR, NEAR), (-NEAR, NEAR), (NEAR, -NEAR))]
        return all(bool(v.isfinite().all()) and v.abs().max().item() < math.sqrt(NEAR) for v in fields)

    @cached_property
    def rates(self) -> tuple[float, float]:
        """Learning rates in the configured ratio at which gradient steps are small."""
        member, jacobian, tiny = self.subject.member, self.at_equilibrium.jacobian, 1e-6
        ratio = min(max(member.discriminator.lr / member.generator.lr, 1 / LARGEST_RATIO), LARGEST_RATIO)
        largest = 0.0
        if jacobian.isfinite().all():
            matrix = _matrix(self.subject, jacobian, (tiny, tiny * ratio))
            change = (torch.eye(2) - matrix[:2, :2]) / tiny
            largest = torch.linalg.eigvals(change).abs().max().item()
        rate = min(LARGEST_RATE, LARGEST_RATE / ratio, 0.5 / max(largest, 1e-12))
        return rate, rate * ratio


@requirement(
    "Jacobian matches finite differences",
    "autograd misses a term: look for create_graph and detach() in losses and penalties",
)
@in_float64
def _jacobian(game: Linearization) -> Answer:
    if not game.exists:
        return NO_EQUILIBRIUM
    jacobian, expected = game.at_equilibrium.jacobian, game.at_equilibrium.differences
    error = (jacobian - expected).abs().max().item() / max(1.0, expected.abs().max().item())
    values = ", ".join(f"{z.real:.4g}{z.imag:+.4g}i" for z in torch.linalg.eigvals(jacobian).tolist())
    return error < TOLERANCE, f"eigenvalues {values}; finite differences differ by {error:.2g}"


def _matrix(subject: Subject, jacobian: Tensor, rates: tuple[float, float]) -> Tensor:
    """Return the matrix M of one step of the dynamics for v = J x.

    It is (2, 2), or larger if the dynamics store vectors, which follow the position.
    """
    if not subject.dynamics.joint:
        step_d, step_g = torch.eye(2), torch.eye(2)
        step_d[1] -= rates[1] * jacobian[1]
        step_g[0] -= rates[0] * jacobian[0]
        generator_steps = getattr(subject.dynamics, "generator_steps", 1)
        matrix_power = torch.linalg.matrix_power
        return matrix_power(step_g, generator_steps) @ matrix_power(step_d, subject.critic_steps)
    stored = getattr(subject.dynamics, "remembers", ())
    z = NEAR * torch.eye(2 + 2 * len(stored))
    game = Quadratic(jacobian, torch.zeros(2), z[:, :2], 1, rates)
    game.memory = {name: Both((z[:, n : n + 1],), (z[:, n + 1 : n + 2],)) for n, name in _columns(stored)}
    with torch.no_grad():
        subject.fresh().dynamics(game)
    after = [game.at, *(torch.cat(game.memory[name].parts, 1) for name in stored)]
    return torch.cat(after, 1).T / NEAR


def _columns(stored: Sequence[str]) -> list[tuple[int, str]]:
    """Return the first column of every stored vector in z."""
    return [(2 + 2 * n, name) for n, name in enumerate(stored)]


@requirement(
    "gradient descent follows the eigenvalues",
    "the steps of the trainer differ from the dynamics: look for a factor, a sign or a stale gradient",
)
@in_float64
def _gradient_descent(game: Linearization) -> Answer:
    if not game.exists:
        return NO_EQUILIBRIUM
    if not getattr(game.subject.dynamics, "autonomous", True):
        return NOT_AUTONOMOUS
    rates, columns = game.rates, []
    matrix = _matrix(game.subject, game.at_equilibrium.jacobian, rates)
    for start in (NEAR * STARTS).tolist():
        pack = _pack(game.subject.fresh(), GRADIENT_DESCENT, rates, start)
        play(pack, STEPS)
        columns.append(torch.cat([pack.g.theta[0], pack.d.theta[0]]) / NEAR)
    trained = torch.linalg.solve(STARTS, torch.stack(columns)).T
    return _compare(matrix, trained, f"rates {rates[0]:.3g}, {rates[1]:.3g}: ")


def _compare(matrix: Tensor, trained: Tensor, prefix: str) -> Answer:
    """Compare M^STEPS with the map of the trainer, and describe its eigenvalues."""
    size = len(trained)  # stored vectors are 0 at the start
    error = relative_error(trained, torch.linalg.matrix_power(matrix, STEPS)[:size, :size])
    values = torch.linalg.eigvals(matrix)
    modulus = values.abs().max().item()
    measured = torch.linalg.eigvals(trained).abs().max().item() ** (1 / STEPS)
    moduli = f"predicted modulus {modulus:.6f}"
    if size == len(matrix):
        moduli += f", measured {measured:.6f}"
    return error < TOLERANCE, f"{prefix}{moduli}: {verdict(values)}"


def verdict(values: Tensor) -> str:
    """Return a description of the map with these eigenvalues.

    >>> verdict(torch.tensor([0.9 + 0.1j, 0.9 - 0.1j]))
    'rotates and converges'
    """
    largest = values.abs().max().item()
    rotates = bool((values.imag.abs() > NEUTRAL).any())
    if largest < 1 - NEUTRAL:
        return "rotates and converges" if rotates else "converges"
    if largest > 1 + NEUTRAL:
        return "rotates and diverges" if rotates else "diverges"
    return "rotates without converging" if rotates else "neither converges nor diverges at a linear rate"


class TrainingStep:
    """One training step as a map of the full state z = (theta, psi, optimizer states)."""

    def __init__(self, subject: Subject, rates: tuple[float, float]) -> None:
        copy = subject.fresh()
        rules = copy.member.generator.rule, copy.member.discriminator.rule
        self.pack = _pack(copy, rules, rates, (0.0, 0.0))
        self.saved = self.pack.export(0)
        for player in PLAYERS:
            self.saved[player]["updates"].fill_(LATE)
        self.size = len(self.read(self.saved))

    def tensors(self, saved: dict[str, Any]) -> list[Tensor]:
        """Return the tensors that z consists of."""
        players = [saved[player] for player in PLAYERS]
        states = [value for player in players for value in player["state"].values()]
        states += [row for rows in saved.get("dynamics", {}).values() for row in rows.values()]
        return [*(player["theta"] for player in players), *states]

    def read(self, saved: dict[str, Any]) -> Tensor:
        """Return z."""
        return torch.cat([tensor.flatten().double() for tensor in self.tensors(saved)])

    def __call__(self, z: Tensor, steps: int = 1) -> Tensor:
        """Return z after `steps` training steps from z."""
        tensors = self.tensors(self.saved)
        for tensor, part in zip(tensors, z.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(part.view(tensor.shape))
        self.pack.restore(0, self.saved)
        play(self.pack, steps)
        return self.read(self.pack.export(0))

    def matrix(self) -> Tensor:
        """Return the Jacobian dz' / dz at the equilibrium, by central differences."""
        columns = [(self(NEAR * e) - self(-NEAR * e)) / (2 * NEAR) for e in torch.eye(self.size)]
        return torch.stack(columns, 1)


def _is_linear(subject: Subject, rates: tuple[float, float]) -> bool:
    """Return whether the step is proportional to the distance, as it is not for Adam."""
    far, near = (
        step(size * torch.eye(step.size)[:2].sum(0), 5)
        for size, step in ((size, TrainingStep(subject, rates)) for size in (1e-3, 5e-4))
    )
    return bool(far.isfinite().all()) and relative_error(near * 2, far) < 1e-3


@requirement(
    "optimizer steps follow the eigenvalues",
    "a step must depend only on theta, gradient, lr and state: look for attributes",
)
@in_float64
def _optimizers(game: Linearization) -> Answer:
    if not game.exists:
        return NO_EQUILIBRIUM
    subject, rates = game.subject, game.rates
    if not getattr(subject.dynamics, "autonomous", True):
        return NOT_AUTONOMOUS
    if not _is_linear(subject, rates):
        return None, "no eigenvalues: the step is not proportional to the gradient"
    matrix, step = TrainingStep(subject, rates).matrix(), TrainingStep(subject, rates)
    trained = torch.stack([step(NEAR * e, STEPS) / NEAR for e in torch.eye(step.size)], 1)
    return _compare(matrix, trained, "")


@requirement(f"{LONG} optimizer steps from (1, 1)", "the classes must work outside of a sweep, in float64")
@in_float64
def _trajectory(game: Linearization) -> Answer:
    """Train with the optimizers and report the distance to the equilibrium."""
    copy = game.subject.fresh()
    pack = _pack(copy, (copy.member.generator.rule, copy.member.discriminator.rule), game.rates, (1.0, 1.0))
    r = [math.hypot(pack.g.theta.item(), pack.d.theta.item()) for _ in islice(pack.steps(), LONG)]
    third = LONG // 3
    first, last = max(r[:third]), max(r[-third:])
    if not all(map(math.isfinite, r)):
        return None, "diverges: not finite"
    trend = "approaches" if last < 0.95 * first else "moves away" if last > 1.05 * first else "keeps its distance"
    thirds = f"largest {first:.4g} in the first third, {last:.4g} in the last"
    return None, f"{trend}: distance 1.41 at the start, {r[-1]:.4g} at the end; {thirds}"
