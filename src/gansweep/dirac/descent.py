"""Who moves when: the discrete algorithms, for any number of games at once.

A position is the pair (theta, psi), a rate one for both players or the pair of theirs. Each may
be an array, and all broadcast: rates (30, 1) and starting points (50,) are 1500 games.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol

import numpy as np

from gansweep.dirac.fields.field import Field, Numbers, check_at_least_zero
from gansweep.dirac.rules.gradient_descent import GradientDescent
from gansweep.dirac.rules.rule import Rule
from gansweep.interfaces import Schedule
from gansweep.schedules.constant import Constant

Pair = tuple[Any, Any]

CONSTANT = Constant()


class Algorithm(Protocol):
    """One step of both players."""

    @property
    def linear(self) -> bool:
        """Tell whether it has a matrix."""
        ...

    def step(self, field: Field, position: Pair, memory: Pair, rate: Pair) -> tuple[Pair, Pair]:
        """Return the next position, and what each player's rule remembers."""
        ...

    def matrix(self, jacobian: np.ndarray, rate: Numbers | Pair) -> np.ndarray:
        """Return the step's derivative at a point of rest with that Jacobian, (..., n, n).

        n is 2, or 4 if the rule remembers. Raise ValueError for a rule that isn't linear.
        """
        ...


@dataclass(frozen=True)
class Simultaneous:
    """Both players move from the same position.

    Args:
        rule: the optimizer of each.
    """

    rule: Rule = GradientDescent()

    @property
    def linear(self) -> bool:
        """Tell whether the rule is linear."""
        return self.rule.linear is not None

    def step(self, field: Field, position: Pair, memory: Pair, rate: Pair) -> tuple[Pair, Pair]:
        """Move both."""
        theta, psi = position
        v_theta, v_psi = field(theta, psi)
        move_theta, memory_g = self.rule(v_theta, memory[0])
        move_psi, memory_d = self.rule(v_psi, memory[1])
        return (theta + rate[0] * move_theta, field.project(psi + rate[1] * move_psi)), (memory_g, memory_d)

    def matrix(self, jacobian: np.ndarray, rate: Numbers | Pair) -> np.ndarray:
        """Return id + h J, in which h is the diagonal of both rates."""
        return _moved(jacobian, pair(rate), self.rule, players=(0, 1))


@dataclass(frozen=True)
class Alternating:
    """The generator takes its steps, then the discriminator takes its own.

    Args:
        generator_steps: the first player's steps of one round, n_g.
        discriminator_steps: the second player's, n_d.
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
        """Tell whether the rule is linear."""
        return self.rule.linear is not None

    def step(self, field: Field, position: Pair, memory: Pair, rate: Pair) -> tuple[Pair, Pair]:
        """Play one round."""
        (theta, psi), (memory_g, memory_d) = position, memory
        for _ in range(self.generator_steps):
            move, memory_g = self.rule(field(theta, psi)[0], memory_g)
            theta = theta + rate[0] * move
        for _ in range(self.discriminator_steps):
            move, memory_d = self.rule(field(theta, psi)[1], memory_d)
            psi = field.project(psi + rate[1] * move)
        return (theta, psi), (memory_g, memory_d)

    def matrix(self, jacobian: np.ndarray, rate: Numbers | Pair) -> np.ndarray:
        """Return the product of all moves of a round."""
        generator = _moved(jacobian, pair(rate), self.rule, players=(0,))
        discriminator = _moved(jacobian, pair(rate), self.rule, players=(1,))
        return np.linalg.matrix_power(discriminator, self.discriminator_steps) @ np.linalg.matrix_power(
            generator, self.generator_steps
        )


@dataclass(frozen=True)
class Extragradient:
    """Both players move by the directions that they would want one step ahead.

        z_ahead = z + h v(z),   z <- z + h v(z_ahead)

    Korpelevich 1976; Gidel et al. 2019, arXiv:1802.10551.
    """

    @property
    def linear(self) -> bool:
        """Return true."""
        return True

    def step(self, field: Field, position: Pair, memory: Pair, rate: Pair) -> tuple[Pair, Pair]:
        """Look ahead, then move both."""
        theta, psi = position
        v_theta, v_psi = field(theta, psi)
        v_theta, v_psi = field(theta + rate[0] * v_theta, field.project(psi + rate[1] * v_psi))
        return (theta + rate[0] * v_theta, field.project(psi + rate[1] * v_psi)), memory

    def matrix(self, jacobian: np.ndarray, rate: Numbers | Pair) -> np.ndarray:
        """Return id + h J (id + h J)."""
        h_jacobian = np.stack(np.broadcast_arrays(*pair(rate)), axis=-1)[..., None] * jacobian
        return np.eye(2) + h_jacobian @ (np.eye(2) + h_jacobian)


def pair(value: Any) -> Pair:
    """Return the generator's and the discriminator's value of a setting that may be one for both."""
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

    A game that leaves for infinity goes on as inf or nan; that is its result.

    Args:
        field: the training method.
        algorithm: who moves when, and with which optimizer.
        start: theta and psi at the beginning.
        rate: step size, of both or of each.
        num_steps: steps of both; a round of several moves is one step.
        schedule: multiplier of the rate, of both or of each.
    """
    if num_steps < 1:
        raise ValueError(f"num_steps={num_steps}: expected a whole number >= 1")
    schedules = pair(schedule)
    for one in schedules:
        one.check(num_steps)
    multipliers = zip(*(one.values(num_steps).tolist() for one in schedules), strict=True)
    rate_g, rate_d = pair(rate)
    check_at_least_zero(rate_g=rate_g, rate_d=rate_d)
    position, memory = start, (None, None)
    # Rates of many games are long arrays: they are multiplied when the schedule changes them.
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
    """Return the start and all positions after it, (num_steps + 1, 2, ...), by theta and psi.

    Arguments are those of `descend`; where they are arrays, the dimensions at the end are theirs.
    """
    positions = [start, *descend(field, algorithm, start, rate, num_steps, schedule)]
    shape = np.broadcast_shapes(*(np.shape(x) for x in positions[-1]))
    return np.array([[np.broadcast_to(x, shape) for x in position] for position in positions], dtype=np.float64)


def _moved(jacobian: np.ndarray, rate: Pair, rule: Rule, players: tuple[int, ...]) -> np.ndarray:
    """Return the map of (theta, psi, s_theta, s_psi) when `players` move from where they are."""
    linear = rule.linear
    if linear is None:
        raise ValueError(f"rule={rule}: expected a rule that is linear in the gradient, others have no matrix")
    numbers = [np.shape(number) for number in (*linear, *rate)]
    shape = np.broadcast_shapes(jacobian.shape[:-2], *numbers)
    moved = np.broadcast_to(np.eye(4), (*shape, 4, 4)).copy()
    for i in players:
        wanted = jacobian[..., i, :]
        moved[..., i, :2] += _column(rate[i] * np.asarray(linear.by_gradient)) * wanted
        moved[..., i, 2 + i] += rate[i] * np.asarray(linear.by_memory)
        moved[..., 2 + i, :2] = _column(linear.take) * wanted
        moved[..., 2 + i, 2 + i] = linear.keep
    return moved if linear.remembers else moved[..., :2, :2]


def _column(numbers: Any) -> np.ndarray:
    """Give numbers (...) an axis to multiply rows by."""
    return np.asarray(numbers)[..., None]
