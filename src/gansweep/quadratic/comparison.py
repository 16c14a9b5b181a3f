"""Closed forms beside what the optimizers do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gansweep.optimizers.adam import Adam
from gansweep.optimizers.sgd import SGD
from gansweep.quadratic.closed_form import best_heavy_ball, best_rate, gradient_descent, momentum
from gansweep.quadratic.paths import paths

# eps, eta and r of gradient descent; the third rate is the best one
DESCENTS = ((0.01, 1.0, 100), (0.01, 1.9, 100), (0.01, best_rate(0.01), 100), (0.001, 1.9, 1000), (0.1, 1.5, 50))
# eps, eta, mu and r of procedure 18.1; the last two are gradient descent at its rate, and the best of both
MOMENTA = (
    *((0.01, 0.1, 0.9, r) for r in (1, 2, 3, 10, 100)),
    (0.01, 0.1, 0.0, 100),
    (0.01, *best_heavy_ball(0.01), 100),
)
# Procedure 18.2 has no closed form: its first steps on theta^2 / 2 from 1 at a rate of 0.1, worked out by hand.
ADAM_RATE, ADAM = 0.1, (0.900000001, 0.80041223, 0.70158627, 0.60393906, 0.50796366)


@dataclass(frozen=True)
class Row:
    """One point of a path, by formula and by the optimizer.

    Args:
        rule: what descends.
        settings: of it and the bowl.
        steps: how many.
        expected: x and y by formula.
        found: x and y of the optimizer.
    """

    rule: str
    settings: str
    steps: int
    expected: tuple[float, float]
    found: tuple[float, float]

    @property
    def error(self) -> float:
        """Largest difference, as a share of the start."""
        return max(abs(a - b) for a, b in zip(self.expected, self.found, strict=True))


def rows() -> Iterator[Row]:
    """Compare every number of the list above."""
    for eps, eta, r in DESCENTS:
        expected = gradient_descent(eps, eta, r), gradient_descent(1.0, eta, r)
        yield Row("gradient descent", f"eps {eps:g}, eta {eta:.6g}", r, expected, _end(SGD(), eta, eps, r))
    for eps, eta, mu, r in MOMENTA:
        expected = momentum(eps, eta, mu, r), momentum(1.0, eta, mu, r)
        settings = f"eps {eps:g}, eta {eta:.6g}, mu {mu:.6g}"
        yield Row("momentum", settings, r, expected, _end(SGD(momentum=mu), eta, eps, r))
    for r, theta in enumerate(ADAM, 1):
        yield Row("Adam", f"eps 1, eta {ADAM_RATE:g}", r, (theta, theta), _end(Adam(), ADAM_RATE, 1.0, r))


def markdown(found: list[Row]) -> str:
    """Write them as a table."""
    lines = [
        "| rule | on (eps x^2 + y^2) / 2 from (1, 1) | steps | x, y by formula | x, y of the optimizer | difference |",
        "|---|---|---|---|---|---|",
    ]
    for row in found:
        pairs = (", ".join(f"{value:.10g}" for value in pair) for pair in (row.expected, row.found))
        lines.append(f"| {row.rule} | {row.settings} | {row.steps} | {' | '.join(pairs)} | {row.error:.1e} |")
    return "\n".join(lines)


def _end(rule: SGD | Adam, eta: float, eps: float, num_steps: int) -> tuple[float, float]:
    x, y = paths(rule, [eta], eps, num_steps)[0, -1].tolist()
    return x, y
