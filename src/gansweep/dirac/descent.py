"""Discrete algorithms: simultaneous, alternating and extragradient updates, vectorized over games.

A position is the pair (theta, psi). A rate is one value for both players, or a pair. Each may be an
array, and all broadcast: rates (30, 1) and starting points (50,) give 1500 games.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol

import numpy as np

from gansweep.dirac.fields.field import Field, Numbers, check_at_least_zero
from gansweep.dirac.rules import GradientDescent, Rule
from gansweep.interfaces import Schedule
from gansweep.schedules.constant import Constant

Pair = tuple[Any, Any]

CONSTANT = Constant()


class Algorithm(Protocol):
    """Update scheme: one step of both players."""

    @property
    def linear(self) -> bool:
        """Whether the step is linear in the gradient, so that it has a matrix."""
        ...

    def step(self, field: Field, position: Pair, memory: Pair, rate: Pair) -> tuple[Pair, Pair]:
        """Return the next position, and the optimizer state of each player."""
        ...

    def matrix(self, jacobian: np.ndarray, rate: Numbers | Pair) -> np.ndarray:
        """Return the derivative (..., n, n) of the step at an equilibrium with that Jacobian.

        n is 2, or 4 if the rule has state. Raise ValueError for a nonlinear rule.
        """
        ...


@dataclass(frozen=True)
class Simultaneous:
    """Simultaneous updates: both players move from the same position.

    Args:
        rule: the optimizer of each.
    """

    rule: Rule = GradientDescent()

    @property
    def linear(self) -> bool:
        """Whether the rule is linear."""
        return self.rule.linear is not None

    def step(self, field: Field, position: Pair, memory: Pair, rate: Pair) -> tuple[Pair, Pair]:
        """Update both players from the same position."""
        theta, psi = position
        v_theta, v_psi = field(theta, psi)
        move_theta, memory_g = self.rule(v_theta, memory[0])
        move_psi, memory_d = self.rule(v_psi, memory[1])
        return (theta + rate[0] * move_theta, field.project(psi + rate[1] * move_psi)), (memory_g, memory_d)

    def matrix(self, jacobian: np.ndarray, rate: Numbers | Pair) -> np.ndarray:
        """Return I + h J, where h is the diagonal matrix of both rates."""
        return _update_matrix(jacobian, pair(rate), self.rule, players=(0, 1))


@dataclass(frozen=True)
class Alternating:
    """Alternating updates: some steps of the generator, then some of the discriminator.

    Args:
        generator_steps: generator steps per round, n_g.
        discriminator_steps: discriminator steps per round, n_d.
        rule: the optimizer of each.
    """

    generator_steps: int = 1
    discriminator_steps: int = 1
    rule: Rule = GradientDescent()

    def __post_init__(self) -> None:
        for name in ("generator_steps", "discriminator_steps"):
            if not (isinstance(getattr(self, name), int) and getattr(self, name) >= 1):
                raise ValueError(f"{name}={getattr(self, name)}: expected a whole number >= 1")

    @property
    def linear(self) -> bool:
        """Whether the rule is linear."""
        return self.rule.linear is not None

    def step(self, field: Field, position: Pair, memory: Pair, rate: Pair) -> tuple[Pair, Pair]:
        """Take one round of updates."""
        (theta, psi), (memory_g, memory_d) = position, memory
        for _ in range(self.generator_steps):
            move, memory_g = self.rule(field(theta, psi)[0], memory_g)
            theta = theta + rate[0] * move
        for _ in range(self.discriminator_steps):
            move, memory_d = self.rule(field(theta, psi)[1], memory_d)
            psi = field.project(psi + rate[1] * move)
        return (theta, psi), (memory_g, memory_d)

    def matrix(self, jacobian: np.ndarray, rate: Numbers | Pair) -> np.ndarray:
        """Return the product of the matrices of all updates of a round."""
        generator = _update_matrix(jacobian, pair(rate), self.rule, players=(0,))
        discriminator = _update_matrix(jacobian, pair(rate), self.rule, players=(1,))
        return np.linalg.matrix_power(discriminator, self.discriminator_steps) @ np.linalg.matrix_power(
            generator, self.generator_steps
        )


@dataclass(frozen=True)
class Extragradient:
    """Extragradient: both players move by the gradient at an extrapolated position.

        z_ahead = z + h v(z),   z <- z + h v(z_ahead)

    Korpelevich 1976; Gidel et al. 2019, arXiv:1802.10551.
    """

    @property
    def linear(self) -> bool:
        """Always True."""
        return True

    def step(self, field: Field, position: Pair, memory: Pair, rate: Pair) -> tuple[Pair, Pair]:
        """Extrapolate, then update both players."""
        theta, psi = position
        v_theta, v_psi = field(theta, psi)
        v_theta, v_psi = field(theta + rate[0] * v_theta, field.project(psi + rate[1] * v_psi))
        return (theta + rate[0] * v_theta, field.project(psi + rate[1] * v_psi)), memory

    def matrix(self, jacobian: np.ndarray, rate: Numbers | Pair) -> np.ndarray:
        """Return I + h J (I + h J)."""
        h_jacobian = np.stack(np.broadcast_arrays(*pair(rate)), axis=-1)[..., None] * jacobian
        return np.eye(2) + h_jacobian @ (np.eye(2) + h_jacobian)


def pair(value: Any) -> Pair:
    """Return (generator value, discriminator value); a single value is used for both."""
    return value if isinstance(value, tuple) else (value, value)


def descend(
    field: Field,
    algorithm: Algorithm,
    start: Pair,
    rate: Numbers | Pair,
    num_steps: int,
    schedule: Schedule | tuple[Schedule, Schedule] = CONSTANT,
) -> Iterator[Pair]:
    """Yield the position after each of `num_steps` steps.

    A diverging game continues with inf or nan; this is its result. A round of several updates is one step; `schedule`
    multiplies the rate.
    """
    if num_steps < 1:
        raise ValueError(f"num_steps={num_steps}: expected a whole number >= 1")
    schedules = pair(schedule)
    for multiplier in schedules:
        multiplier.check(num_steps)
    multipliers = zip(*(multiplier.values(num_steps).tolist() for multiplier in schedules), strict=True)
    rate_g, rate_d = pair(rate)
    check_at_least_zero(rate_g=rate_g, rate_d=rate_d)
    position, memory = start, (None, None)
    # Rates of many games are long arrays, so they are multiplied only when the schedule changes.
    for (by_g, by_d), steps in groupby(multipliers):
        rates = (rate_g * by_g, rate_d * by_d)
        for _ in steps:
            with np.errstate(over="ignore", invalid="ignore", under="ignore"):
                position, memory = algorithm.step(field, position, memory, rates)
            yield position


def trajectory(
    field: Field,
    algorithm: Algorithm,
    start: Pair,
    rate: Numbers | Pair,
    num_steps: int,
    schedule: Schedule | tuple[Schedule, Schedule] = CONSTANT,
) -> np.ndarray:
    """Return the start and all later positions (theta, psi), an array (num_steps + 1, 2, ...).

    The arguments are those of `descend`; the trailing dimensions are those of array arguments.
    """
    positions = [start, *descend(field, algorithm, start, rate, num_steps, schedule)]
    shape = np.broadcast_shapes(*(np.shape(x) for x in positions[-1]))
    return np.array([[np.broadcast_to(x, shape) for x in position] for position in positions], dtype=np.float64)


def _update_matrix(jacobian: np.ndarray, rate: Pair, rule: Rule, players: tuple[int, ...]) -> np.ndarray:
    """Return the matrix of (theta, psi, s_theta, s_psi) for an update of `players`."""
    linear = rule.linear
    if linear is None:
        raise ValueError(f"rule={rule}: expected a rule that is linear in the gradient; only such rules have a matrix")
    numbers = [np.shape(number) for number in (*linear, *rate)]
    shape = np.broadcast_shapes(jacobian.shape[:-2], *numbers)
    matrix = np.broadcast_to(np.eye(4), (*shape, 4, 4)).copy()
    for i in players:
        gradient = jacobian[..., i, :]
        matrix[..., i, :2] += _column(rate[i] * np.asarray(linear.by_gradient)) * gradient
        matrix[..., i, 2 + i] += rate[i] * np.asarray(linear.by_memory)
        matrix[..., 2 + i, :2] = _column(linear.take) * gradient
        matrix[..., 2 + i, 2 + i] = linear.keep
    return matrix if linear.remembers else matrix[..., :2, :2]


def _column(numbers: Any) -> np.ndarray:
    """Return numbers (...) with a trailing axis, to multiply rows."""
    return np.asarray(numbers)[..., None]
