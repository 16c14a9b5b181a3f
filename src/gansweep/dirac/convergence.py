"""Local convergence of every method, measured and compared with table 1 of the paper.

    general                 the Dirac-GAN, two points
    absolutely continuous   N(0, 1) against N(theta, 1), see `fields.gaussian`

Both use D(x) = psi x. A counterexample proves a "no" of the table. A "yes" here means that the
method converges on this toy problem; the paper proves it for all distributions.

A verdict consists of two tests that must agree. Eigenvalues: all real parts of J are below 0, and v
is smooth at the equilibrium. Trajectories: from eight points around it, with every algorithm and
rate, the distance falls below `SHRUNK` times the initial distance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gansweep.dirac.descent import descend
from gansweep.dirac.fields.consensus import Consensus
from gansweep.dirac.fields.field import Field
from gansweep.dirac.fields.gan import GAN, WGAN
from gansweep.dirac.fields.gaussian import (
    GAME,
    GaussianConsensus,
    GaussianGradientPenalty,
    GaussianRoth,
    InstanceNoise,
)
from gansweep.dirac.fields.r1 import R1, R2, Roth
from gansweep.dirac.fields.wgan_gp import DRAGAN, WGANGP
from gansweep.dirac.notebook import ALGORITHMS
from gansweep.dirac.spectrum import eigenvalues, moduli

ROWS: tuple[tuple[Field, Field], ...] = (
    (GAN(), GAME),
    (WGAN(), WGAN()),
    (WGANGP(), WGANGP()),
    (DRAGAN(), GaussianGradientPenalty(gamma=0.7, target=1.0)),
    (InstanceNoise(std=0.7), InstanceNoise(std=math.hypot(1.0, 0.7))),
    (Consensus(), GaussianConsensus()),
    (Roth(), GaussianRoth()),
    (R1(), GaussianGradientPenalty(gamma=0.3)),
    (R2(), GaussianGradientPenalty(gamma=0.3)),
)
"""The nine rows of the paper's table, each for points and for Gaussians."""

RATES = np.array([0.05, 0.1, 0.2])
RADIUS = 0.1
NUM_STEPS = 2000
SHRUNK = 1e-3


@dataclass(frozen=True)
class Measured:
    """Measured convergence of one method on one toy problem.

    Args:
        largest_real: largest real part of the Jacobian's eigenvalues; nan where v is discontinuous.
        remaining: final distance from the equilibrium over the initial one, by algorithm and
            rate (len(ALGORITHMS), len(RATES)), the largest of eight starts.
        factor: change of the distance per step over the second half, same shape.
        predicted: largest eigenvalue modulus of the algorithm's matrix, same shape.
    """

    largest_real: float
    remaining: np.ndarray
    factor: np.ndarray
    predicted: np.ndarray

    @property
    def by_eigenvalues(self) -> bool:
        """Whether the eigenvalues imply convergence."""
        return self.largest_real < -1e-9

    @property
    def by_trajectories(self) -> bool:
        """Whether all trajectories converged."""
        return bool((self.remaining < SHRUNK).all())

    @property
    def converges(self) -> bool | None:
        """The verdict; None where the two tests disagree."""
        return self.by_eigenvalues if self.by_eigenvalues == self.by_trajectories else None


def measure(field: Field, num_steps: int = NUM_STEPS) -> Measured:
    """Simulate a method near its equilibrium and compute its eigenvalues there."""
    angle = 2 * np.pi * (np.arange(8) + 0.5) / 8
    start = (RADIUS * np.cos(angle), RADIUS * np.sin(angle))
    jacobian = field.jacobian()
    remaining, factor, predicted = [], [], []
    for algorithm in ALGORITHMS.values():
        positions = list(descend(field, algorithm, start, RATES[:, None], num_steps))
        end, half = (np.hypot(*positions[step - 1]) for step in (num_steps, num_steps // 2))
        with np.errstate(divide="ignore", invalid="ignore"):
            per_step = (end / half) ** (1 / (num_steps - num_steps // 2))
        diverged = np.isnan(end)  # a distance of 0 with the factor 0 / 0 has converged
        remaining.append(np.where(diverged, np.inf, end / RADIUS).max(-1))
        factor.append(np.where(end == 0, 0.0, np.where(diverged | np.isnan(per_step), np.inf, per_step)).max(-1))
        no_matrix = np.full(len(RATES), np.nan)
        predicted.append(no_matrix if jacobian is None else moduli(algorithm, jacobian, RATES)[:, 0])
    largest_real = np.nan if jacobian is None else float(eigenvalues(jacobian).real.max())
    return Measured(largest_real, np.array(remaining), np.array(factor), np.array(predicted))


def measured_rows(num_steps: int = NUM_STEPS) -> list[tuple[Field, Measured, Field, Measured]]:
    """Measure every row, for points and for Gaussians."""
    return [(general, measure(general, num_steps), smooth, measure(smooth, num_steps)) for general, smooth in ROWS]


def markdown(rows: list[tuple[Field, Measured, Field, Measured]]) -> str:
    """Return the printed and the measured verdicts, with their numbers, as a Markdown table."""
    return "\n".join(
        [
            "| method | absolutely continuous: paper | measured | max Re eig | r_n / r_0 | general: paper | measured "
            "| max Re eig | r_n / r_0 | agrees |",
            "|---|---|---|---|---|---|---|---|---|---|",
            *map(_line, rows),
        ]
    )


def details(rows: list[tuple[Field, Measured, Field, Measured]]) -> str:
    """Return the factors per step, measured and predicted, as a Markdown table."""
    lines = [
        "| toy | method | algorithm | rate | factor per step | largest modulus | r_n / r_0 |",
        "|---|---|---|---|---|---|---|",
    ]
    for general, on_points, smooth, on_gaussians in rows:
        for toy, field, measured in (("points", general, on_points), ("Gaussians", smooth, on_gaussians)):
            for i, algorithm in enumerate(ALGORITHMS):
                for j, rate in enumerate(RATES):
                    lines.append(
                        f"| {toy} | {general.label}: `{field}` | {algorithm} | {rate:g} | {measured.factor[i, j]:.6f} "
                        f"| {_number(measured.predicted[i, j], '.6f')} | {measured.remaining[i, j]:.2g} |"
                    )
    return "\n".join(lines)


def _line(row: tuple[Field, Measured, Field, Measured]) -> str:
    general, on_points, _, on_gaussians = row
    printed = general.converges
    if printed is None:
        raise ValueError(f"field={general}: expected a method of table 1 of the paper")
    columns = {
        "absolutely continuous": (printed.absolutely_continuous, on_gaussians),
        "general": (printed.general, on_points),
    }
    cells = [general.label]
    for expected, measured in columns.values():
        real = _number(measured.largest_real + 0.0, ".3g")  # turns -0 into 0
        cells += [_word(expected), _word(measured.converges), real, f"{measured.remaining.max():.2g}"]
    differing = [name for name, (expected, measured) in columns.items() if expected != measured.converges]
    return f"| {' | '.join(cells)} | {'no: ' + ', '.join(differing) if differing else 'yes'} |"


def _word(verdict: bool | None) -> str:
    return {True: "yes", False: "no", None: "unclear"}[verdict]


def _number(value: float, form: str) -> str:
    return "discontinuous" if np.isnan(value) else format(value, form)
