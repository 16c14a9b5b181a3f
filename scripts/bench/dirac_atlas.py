"""Speed of the vectorised Dirac-GAN atlas compared with loops over single games.

    python scripts/bench/dirac_atlas.py              # the table, and docs/records/dirac_atlas.md with --write

All variants train the Dirac-GAN with R1 by simultaneous and by alternating gradient descent from the same start, on a
grid of rates and gammas. The loops train some of the games of the grid. The compared value is the time of one step of
one game:

    same code     gansweep.dirac.descent, called for one game at a time
    plain loop    Python floats and math.exp; field and algorithm are exchangeable functions
    bare loop     the formulas of this method and algorithm written into the loop's body

"ours" trains the whole grid, in float64 and in float32. Everything runs in one thread. Rounds alternate in one process,
so only the ratios are meaningful. The final states of all variants are checked to agree.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable

import numpy as np

from gansweep.dirac.atlas import GAMMA, RATE, Axis, Sheet, factor
from gansweep.dirac.descent import Algorithm, Alternating, Simultaneous
from gansweep.dirac.fields.r1 import R1
from report import report

RADIUS = 1e-3
START = RADIUS / math.sqrt(2)
# Rates and gammas for which games stay near their start, so no loop is faster because of infinities.
RATES, GAMMAS = Axis(RATE.label, 0.02, 1.0), Axis(GAMMA.label, 0.3, 2.0)

OURS = {"ours": np.float64, "ours, float32": np.float32}

Player = Callable[[float, float, int], float]


def r1(theta: float, psi: float, gamma: float) -> tuple[float, float]:
    """Return both components of the update direction."""
    s = 1 / (1 + math.exp(psi * theta))
    return -psi * s, theta * s - gamma * psi


def simultaneously(field: Callable, theta: float, psi: float, h: float, gamma: float) -> tuple[float, float]:
    """Return both players after a simultaneous step."""
    v_theta, v_psi = field(theta, psi, gamma)
    return theta + h * v_theta, psi + h * v_psi


def alternately(field: Callable, theta: float, psi: float, h: float, gamma: float) -> tuple[float, float]:
    """Return both players after a generator step followed by a discriminator step."""
    theta += h * field(theta, psi, gamma)[0]
    return theta, psi + h * field(theta, psi, gamma)[1]


def plain(step: Callable) -> Player:
    """Return the plain loop for a step function."""

    def play(h: float, gamma: float, num_steps: int) -> float:
        theta = psi = START
        for _ in range(num_steps):
            theta, psi = step(r1, theta, psi, h, gamma)
        return math.log10(math.hypot(theta, psi) / RADIUS) / num_steps

    return play


def bare_simultaneous(h: float, gamma: float, num_steps: int) -> float:
    """Train R1 with simultaneous steps in a bare loop."""
    theta = psi = START
    exp = math.exp
    for _ in range(num_steps):
        s = 1 / (1 + exp(psi * theta))
        theta, psi = theta - h * psi * s, psi + h * (theta * s - gamma * psi)
    return math.log10(math.hypot(theta, psi) / RADIUS) / num_steps


def bare_alternating(h: float, gamma: float, num_steps: int) -> float:
    """Train R1 with alternating steps in a bare loop."""
    theta = psi = START
    exp = math.exp
    for _ in range(num_steps):
        theta -= h * psi / (1 + exp(psi * theta))
        psi += h * (theta / (1 + exp(psi * theta)) - gamma * psi)
    return math.log10(math.hypot(theta, psi) / RADIUS) / num_steps


def same_code(algorithm: Algorithm) -> Player:
    """Return gansweep's vectorised code, applied to one game."""
    return lambda h, gamma, num_steps: float(factor(R1(gamma), algorithm, h, RADIUS, num_steps))


def measure(algorithm: Algorithm, loops: dict[str, Player], options: argparse.Namespace) -> dict[str, list[float]]:
    """Return nanoseconds per step of one game for every loop and for ours, one value per round."""
    sheet = Sheet("", RATES, GAMMAS, lambda x, y: (R1(y), algorithm, x), RADIUS)
    x, y = sheet.points(options.width, options.width)
    some = np.random.default_rng(0).choice(x.size, options.games, replace=False)
    times: dict[str, list[float]] = {name: [] for name in [*loops, *OURS]}
    for _ in range(options.rounds):
        ends, played = {}, {}
        for name, play in loops.items():
            # Vectorised code is slow for single games, so only a few of them are timed.
            games = some[: max(1, options.games // 20)] if name == "same code" else some
            start = time.perf_counter()
            ends[name] = [play(float(x.flat[i]), float(y.flat[i]), options.steps) for i in games]
            times[name].append((time.perf_counter() - start) / len(games) / options.steps * 1e9)
        for name, dtype in OURS.items():
            start = time.perf_counter()
            played[name] = sheet.measure(x, y, options.steps, dtype)
            times[name].append((time.perf_counter() - start) / x.size / options.steps * 1e9)
        for loop, values in ends.items():
            for name, dtype in OURS.items():
                ours = played[name].flat[some[: len(values)]]
                close = 1e-12 if dtype == np.float64 else 1e-5
                # float32 loses digits below 1e-38, which is 35 decades from the start.
                lowest = -np.inf if dtype == np.float64 else -33 / options.steps
                pair = np.maximum(values, lowest), np.maximum(ours, lowest)
                np.testing.assert_allclose(*pair, rtol=0, atol=close, err_msg=f"{name}, {loop}")
    return times


def main() -> None:
    """Print the table, and write the record with --write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write docs/records/dirac_atlas.md")
    parser.add_argument("--width", type=int, default=400, help="points of each axis (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=300, help="(default: %(default)s)")
    parser.add_argument("--games", type=int, default=400, help="games that a loop trains (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="(default: %(default)s)")
    options = parser.parse_args()
    cases: dict[str, tuple[Algorithm, dict[str, Player]]] = {
        "simultaneous": (
            Simultaneous(),
            {
                "same code": same_code(Simultaneous()),
                "plain loop": plain(simultaneously),
                "bare loop": bare_simultaneous,
            },
        ),
        "alternating 1:1": (
            Alternating(),
            {"same code": same_code(Alternating()), "plain loop": plain(alternately), "bare loop": bare_alternating},
        ),
    }
    lines = [
        f"| algorithm | variant | ns per step of a game | relative to {' | relative to '.join(OURS)} |",
        "|---" * (3 + len(OURS)) + "|",
    ]
    for title, (algorithm, loops) in cases.items():
        times = measure(algorithm, loops, options)
        for name, took in times.items():
            ratios = [statistics.median(a / b for a, b in zip(took, times[ours], strict=True)) for ours in OURS]
            cells = " | ".join(f"{ratio:.{0 if ratio > 10 else 2}f} x" for ratio in ratios)
            lines.append(f"| {title} | {name} | {statistics.median(took):.3g} | {cells} |")
    how = (
        f"1 thread, numpy {np.__version__}. Ours trains {options.width**2:,} games of {options.steps} steps, "
        f"the loops {options.games} of them (the same code "
        f"{max(1, options.games // 20)}); medians of {options.rounds} alternating rounds. The factors per step "
        "that are measured agree to 1e-12 decades, in float32 to 1e-5."
    )
    report("dirac_atlas", "Games of the Dirac-GAN per second", lines, how, write=options.write)


if __name__ == "__main__":
    main()
