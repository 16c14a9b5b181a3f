"""Phase diagrams: convergence factors over planes of two settings, by simulation.

A sheet is a plane of two settings, such as rate and gamma. All its games are simulated together,
in blocks that fit the processor's cache. The result of a game is its mean factor per step

    (r_n / r_0)^(1/n),   r^2 = theta^2 sqrt(h_D / h_G) + psi^2 sqrt(h_G / h_D)

which is compared with the largest modulus of the eigenvalues. They agree up to O(1/n), because the
shape of the path enters r_n. Exceptions: optimizers without a matrix, and diverging games that the
saturation of f bounds far from the equilibrium.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gansweep.dirac.descent import Algorithm, Alternating, Extragradient, Simultaneous, descend, pair
from gansweep.dirac.fields.consensus import Consensus
from gansweep.dirac.fields.field import Field
from gansweep.dirac.fields.gan import GAN
from gansweep.dirac.fields.r1 import R1
from gansweep.dirac.notebook import ALGORITHMS
from gansweep.dirac.rules import Adam, HeavyBall, Optimistic, RMSprop
from gansweep.dirac.spectrum import moduli

BLOCK = 8192
"""Games per block. The arrays fit the cache, and the call overhead of numpy is amortized."""


@dataclass(frozen=True)
class Axis:
    """Values of one setting."""

    label: str
    start: float
    stop: float
    logarithmic: bool = True

    def values(self, number: int) -> np.ndarray:
        """Return `number` values from start to stop."""
        space: Any = np.geomspace if self.logarithmic else np.linspace
        return space(self.start, self.stop, number)


@dataclass(frozen=True)
class Sheet:
    """A plane of settings.

    Args:
        title: title of the panel.
        x: the first setting.
        y: the second setting.
        game: (x, y) -> field, algorithm and rate, for arrays of equal shape.
        radius: distance of the start from the equilibrium, on the diagonal.
    """

    title: str
    x: Axis
    y: Axis
    game: Callable[[np.ndarray, np.ndarray], tuple[Field, Algorithm, Any]]
    radius: float = 1e-3

    def points(self, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
        """Return both settings at every point, arrays (height, width)."""
        x, y = np.meshgrid(self.x.values(width), self.y.values(height))
        return x, y

    def measure(self, x: np.ndarray, y: np.ndarray, num_steps: int = 300, dtype: Any = np.float64) -> np.ndarray:
        """Simulate every point and return log10 of its factor per step, with the shape of x.

        inf where a game diverged to infinity, -inf where it reached 0. float32 takes half the time,
        but its smallest distance is 1e-45, against 1e-324 for float64.
        """
        flat_x, flat_y = x.ravel().astype(dtype), y.ravel().astype(dtype)
        measured = np.full(x.size, np.nan)
        for first in range(0, x.size, BLOCK):
            block = slice(first, first + BLOCK)
            field, algorithm, rate = self.game(flat_x[block], flat_y[block])
            measured[block] = factor(field, algorithm, rate, self.radius, num_steps)
        return measured.reshape(x.shape)

    def largest_modulus(self, x: np.ndarray, y: np.ndarray) -> np.ndarray | None:
        """Return the largest eigenvalue modulus of the algorithm's matrix, if it has one."""
        field, algorithm, rate = self.game(x, y)
        jacobian = field.jacobian()
        if jacobian is None or not algorithm.linear:
            return None
        return moduli(algorithm, jacobian, rate)[..., 0]


def factor(field: Field, algorithm: Algorithm, rate: Any, radius: float, num_steps: int) -> np.ndarray:
    """Return log10 of the mean factor per step for games that start on the diagonal."""
    rate_g, rate_d = pair(rate)
    # With unequal rates the trajectories are ellipses. In rescaled axes the distance does not
    # oscillate, and a trajectory that neither converges nor diverges has the factor 1.
    scale = np.power(rate_d / rate_g, 0.25)
    start = (radius / math.sqrt(2) / scale, radius / math.sqrt(2) * scale)
    theta, psi = deque(descend(field, algorithm, start, rate, num_steps), maxlen=1).pop()
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        remaining = np.hypot(theta * scale, psi / scale) / radius
        return np.where(np.isfinite(remaining), np.log10(remaining) / num_steps, np.inf)


RATE = Axis("rate h, both players", 0.02, 10.0)
GAMMA = Axis("penalty weight $\\gamma$", 0.02, 10.0)
MOMENTUM = Axis("momentum $\\beta$", -0.95, 0.95, logarithmic=False)
RATIO = Axis("rate of D / rate of G", 0.02, 50.0)

GAMES: dict[str, Field] = {"GAN": GAN(), "R1 0.3": R1(0.3), "R1 1": R1(1.0)}


def r1_sheets() -> Iterator[Sheet]:
    """Yield sheets of rate against the R1 weight gamma, one per optimizer."""
    algorithms: dict[str, tuple[Algorithm, float]] = {
        "simultaneous": (Simultaneous(), 1e-3),
        "alternating 1:1": (Alternating(), 1e-3),
        "alternating 1:5": (Alternating(1, 5), 1e-3),
        "extragradient": (Extragradient(), 1e-3),
        "optimistic, simultaneous": (Simultaneous(Optimistic()), 1e-3),
        "momentum -0.5, alternating 1:1": (Alternating(rule=HeavyBall(-0.5)), 1e-3),
        # Their step length is about the rate everywhere, so they start far from the equilibrium.
        "Adam, alternating 1:1": (Alternating(rule=Adam()), 1.0),
        "RMSprop, alternating 1:1": (Alternating(rule=RMSprop()), 1.0),
    }
    for title, (algorithm, radius) in algorithms.items():
        yield Sheet(title, RATE, GAMMA, lambda x, y, scheme=algorithm: (R1(gamma=y), scheme, x), radius)


def momentum_sheets() -> Iterator[Sheet]:
    """Yield sheets of rate against momentum."""
    orders: dict[str, Callable[[HeavyBall], Algorithm]] = {
        "simultaneous": lambda rule: Simultaneous(rule),
        "alternating 1:1": lambda rule: Alternating(rule=rule),
    }
    for order, make in orders.items():
        for name, field in GAMES.items():
            yield Sheet(
                f"{name}, {order}",
                RATE,
                MOMENTUM,
                lambda x, y, field=field, make=make: (field, make(HeavyBall(y)), x),
            )


def ratio_sheets() -> Iterator[Sheet]:
    """Yield sheets of the generator's rate against the ratio of the two rates."""
    rate_g = Axis("rate of G", RATE.start, RATE.stop)
    for order, algorithm in {"simultaneous": Simultaneous(), "alternating 1:1": Alternating()}.items():
        for name, field in GAMES.items():
            yield Sheet(
                f"{name}, {order}",
                rate_g,
                RATIO,
                lambda x, y, field=field, scheme=algorithm: (field, scheme, (x, x * y)),
            )


def basin_sheets() -> Iterator[Sheet]:
    """Yield consensus optimisation started at (1, 1), where the linearization does not apply."""
    for form, as_coded in {"exact": False, "authors' code": True}.items():
        for order, algorithm in ALGORITHMS.items():
            yield Sheet(
                f"{form}, {order}",
                RATE,
                GAMMA,
                lambda x, y, scheme=algorithm, coded=as_coded: (Consensus(y, coded), scheme, x),
                radius=math.sqrt(2.0),
            )


ATLAS: dict[str, tuple[str, Callable[[], Iterator[Sheet]]]] = {
    "r1": ("R1 by rate and penalty weight", r1_sheets),
    "momentum": ("Momentum, with and without R1", momentum_sheets),
    "ratio": ("Unequal rates, with and without R1", ratio_sheets),
    "basin": ("Consensus optimisation from (1, 1)", basin_sheets),
}
"""The sheets of each figure, with its title."""
