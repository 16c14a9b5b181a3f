"""Closed-form iterates of gradient descent and momentum on a quadratic.

    f(x, y) = (eps x^2 + y^2) / 2

Forsyth, "Building a working autoencoder - III, Optimization tricks", the examples before procedure 18.1. His first
slide swaps x and y. The coordinates are independent, so one coordinate of curvature lam (eps or 1) is solved.
"""

from __future__ import annotations

import cmath
import math


def gradient_descent(lam: float, eta: float, r: int) -> float:
    """Return the iterate (1 - eta lam)^r of gradient descent started at 1."""
    return (1 - eta * lam) ** r


def momentum(lam: float, eta: float, mu: float, r: int) -> float:
    """Return theta_r of procedure 18.1 from theta_0 = 1, v = 0: v <- mu v + lam theta, theta <- theta - eta v.

        theta_{r+1} = (1 + mu - eta lam) theta_r - mu theta_{r-1},   theta_1 = 1 - eta lam

    The solution is A a^r + B b^r with the roots a and b of z^2 - (1 + mu - eta lam) z + mu.

    >>> round(momentum(0.01, 0.1, 0.9, 100), 10), round(momentum(1.0, 0.1, 0.9, 100), 10)
    (0.3686285999, 0.0037387333)
    """
    a, b = roots(lam, eta, mu)
    first = 1 - eta * lam
    if abs(a - b) < 1e-9:  # both nearly z: (1 + (theta_1 / z - 1) r) z^r
        z = (a + b).real / 2
        return z**r + (first - z) * r * z ** (r - 1) if r else 1.0
    return (((first - b) * a**r - (first - a) * b**r) / (a - b)).real


def roots(lam: float, eta: float, mu: float) -> tuple[complex, complex]:
    """Return the roots of the recurrence; the larger modulus is the asymptotic factor per step."""
    middle = (1 + mu - eta * lam) / 2
    spread = cmath.sqrt(middle**2 - mu)
    return middle + spread, middle - spread


def factor(eps: float, eta: float, mu: float) -> float:
    """Return the asymptotic factor per step of the distance to the minimum; above 1 it diverges.

    >>> round(factor(0.01, 1.0, 0.0), 10), round(factor(0.01, 0.1, 0.9), 7)
    (0.99, 0.9888732)
    """
    return max(abs(root) for lam in (eps, 1.0) for root in roots(lam, eta, mu))


def best_rate(eps: float) -> float:
    """Return the optimal learning rate of gradient descent; its factor per step is (1 - eps) / (1 + eps).

    >>> round(best_rate(0.01), 10)
    1.9801980198
    """
    return 2 / (1 + eps)


def best_heavy_ball(eps: float) -> tuple[float, float]:
    """Return the optimal rate and momentum; the factor per step is (1 - sqrt eps) / (1 + sqrt eps).

    Polyak 1964.

    >>> [round(value, 7) for value in best_heavy_ball(0.01)]
    [3.3057851, 0.6694215]
    """
    root = math.sqrt(eps)
    return (2 / (1 + root)) ** 2, ((1 - root) / (1 + root)) ** 2
