"""Linearized Dirac-GAN of a user's classes: its Jacobian, and the matrix of one training step of the real trainer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import Any, ClassVar

import torch
from torch import Tensor

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.member import PlayerSettings
from gansweep.batched.pack import PackSettings
from gansweep.check.bench import PLAYERS, Subject, play, relative_error
from gansweep.check.dynamics import Quadratic
from gansweep.dynamics.position import Both, Position
from gansweep.interfaces import UpdateRule
from gansweep.models.dirac import Dirac
from gansweep.optimizers.sgd import SGD
from gansweep.schedules.constant import Constant

LARGEST_RATE = 0.1  # learning rate of the generator; reduced where the game is stiff
LARGEST_RATIO = 100.0  # of the two learning rates
NEAR = 1e-6  # distance at which the game is linear
EQUILIBRIUM = (1e-10, -1.3e-10)  # not 0, where autograd gives a norm the gradient 0
STEPS, LONG = 12, 120
LATE = 1000  # update count at which bias corrections have vanished
GRADIENT_DESCENT = (SGD(), SGD())


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


def dirac_pack(
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
        play(dirac_pack(subject, GRADIENT_DESCENT, (1.0, 1.0), position), 1)
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
            matrix = matrix_of(self.subject, jacobian, (tiny, tiny * ratio))
            change = (torch.eye(2) - matrix[:2, :2]) / tiny
            largest = torch.linalg.eigvals(change).abs().max().item()
        rate = min(LARGEST_RATE, LARGEST_RATE / ratio, 0.5 / max(largest, 1e-12))
        return rate, rate * ratio


def matrix_of(subject: Subject, jacobian: Tensor, rates: tuple[float, float]) -> Tensor:
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


class TrainingStep:
    """One training step as a map of the full state z = (theta, psi, optimizer states)."""

    def __init__(self, subject: Subject, rates: tuple[float, float]) -> None:
        copy = subject.fresh()
        rules = copy.member.generator.rule, copy.member.discriminator.rule
        self.pack = dirac_pack(copy, rules, rates, (0.0, 0.0))
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


def is_linear(subject: Subject, rates: tuple[float, float]) -> bool:
    """Return whether the step is proportional to the distance, as it is not for Adam."""
    far, near = (
        step(size * torch.eye(step.size)[:2].sum(0), 5)
        for size, step in ((size, TrainingStep(subject, rates)) for size in (1e-3, 5e-4))
    )
    return bool(far.isfinite().all()) and relative_error(near * 2, far) < 1e-3
