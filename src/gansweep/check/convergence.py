"""Checks of the trainer against the eigenvalues of the linearized game.

On the Dirac-GAN, D(x) = psi x with all data at 0, one training step near the equilibrium is a
linear map M. The moduli of its eigenvalues are the factors per step: below 1 it converges, at 1 it
rotates, above 1 it diverges.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice

import torch
from torch import Tensor

from gansweep.check.bench import Subject, in_float64, play, relative_error
from gansweep.check.finding import Answer, Check, requirement
from gansweep.check.linear_game import (
    GRADIENT_DESCENT,
    LONG,
    NEAR,
    STEPS,
    Linearization,
    TrainingStep,
    dirac_pack,
    is_linear,
    matrix_of,
)

STARTS = torch.tensor([[1.0, 0.3], [0.3, -1.0]], dtype=torch.float64)  # start directions (theta, psi), no component 0
TOLERANCE = 1e-4
NEUTRAL = 1e-9  # moduli within this distance of 1 count as 1
NOT_AUTONOMOUS = None, "no eigenvalues: a step of these dynamics depends on its number"
NO_EQUILIBRIUM = None, "no linear equilibrium at (0, 0)"


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks of the Jacobian, of gradient descent and of the optimizers."""
    game = Linearization(subject)
    for required in (_jacobian, _gradient_descent, _optimizers, _trajectory):
        yield required.check("dirac", game)


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
    matrix = matrix_of(game.subject, game.at_equilibrium.jacobian, rates)
    for start in (NEAR * STARTS).tolist():
        pack = dirac_pack(game.subject.fresh(), GRADIENT_DESCENT, rates, start)
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
    if not is_linear(subject, rates):
        return None, "no eigenvalues: the step is not proportional to the gradient"
    matrix, step = TrainingStep(subject, rates).matrix(), TrainingStep(subject, rates)
    trained = torch.stack([step(NEAR * e, STEPS) / NEAR for e in torch.eye(step.size)], 1)
    return _compare(matrix, trained, "")


@requirement(f"{LONG} optimizer steps from (1, 1)", "the classes must work outside of a sweep, in float64")
@in_float64
def _trajectory(game: Linearization) -> Answer:
    """Train with the optimizers and report the distance to the equilibrium."""
    copy = game.subject.fresh()
    pack = dirac_pack(copy, (copy.member.generator.rule, copy.member.discriminator.rule), game.rates, (1.0, 1.0))
    r = [math.hypot(pack.g.theta.item(), pack.d.theta.item()) for _ in islice(pack.steps(), LONG)]
    third = LONG // 3
    first, last = max(r[:third]), max(r[-third:])
    if not all(map(math.isfinite, r)):
        return None, "diverges: not finite"
    trend = "approaches" if last < 0.95 * first else "moves away" if last > 1.05 * first else "keeps its distance"
    thirds = f"largest {first:.4g} in the first third, {last:.4g} in the last"
    return None, f"{trend}: distance 1.41 at the start, {r[-1]:.4g} at the end; {thirds}"
