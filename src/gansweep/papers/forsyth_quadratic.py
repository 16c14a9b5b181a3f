"""Forsyth's quadratic: trained trajectories compared with closed forms."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from pathlib import Path

import numpy as np

from gansweep.config import build
from gansweep.optimizers.sgd import SGD
from gansweep.papers.trained import Trained, parted, read
from gansweep.quadratic import best_heavy_ball, best_rate, factor, heights, maps, momentum, path
from gansweep.schedules.constant import Constant
from gansweep.section import Section

NAME = "forsyth_quadratic"
SOURCE = (
    'Forsyth, "Building a working autoencoder - III, Optimization tricks" (lecture slides, UIUC), '
    "procedures 18.1 and 18.2"
)


@dataclass(frozen=True)
class Descent:
    """A trained trajectory and the expected one.

    Args:
        cell: the trained cell.
        points: (R, 2), the start and the recorded points.
        expected: (R, 2) in float64; None with noisy gradients, feedback or a beta schedule.
        by: how `expected` was computed, or why it was not.
        factor: asymptotic factor per step of the distance; None without a formula.
    """

    cell: Trained
    points: np.ndarray
    expected: np.ndarray | None
    by: str
    factor: float | None

    @property
    def error(self) -> float | None:
        """Largest difference, relative to the expected coordinate or to 1 if that is larger."""
        if self.expected is None:
            return None
        return float((np.abs(self.points - self.expected) / np.maximum(1, np.abs(self.expected))).max())


def sections(directory: Path) -> list[Section]:
    """Return a section for every curvature in a sweep."""
    groups = parted(read(directory, NAME), lambda one: float(one.record["config"]["algorithm"]["eps"]))
    return [_section(eps, [descent(one) for one in cells]) for eps, cells in groups.items()]


def descent(one: Trained) -> Descent:
    """Return the recorded trajectory of a cell and the expected one."""
    config = one.record["config"]
    start, eps = config["model"]["start"], float(config["algorithm"]["eps"])
    whole = takewhile(lambda point: None not in (point["x"], point["y"]), one.record.get("curves", []))
    kept = [(0, *start), *((point["step"], point["x"], point["y"]) for point in whole)]
    steps, points = [step for step, _, _ in kept], np.array([[x, y] for _, x, y in kept])
    if config["data"].get("std") != 0:
        return Descent(one, points, None, "noisy gradients", None)
    run = build.check({**config, "device": "cpu", "allow": []}).run  # settings of a record are not trusted
    if run is None or run.member.generator.feedback is not None or run.member.generator.beta_schedule is not None:
        return Descent(one, points, None, "not computed", None)
    player = run.member.generator
    rule = player.rule
    if isinstance(rule, SGD) and rule == SGD(momentum=rule.momentum) and player.schedule == Constant():
        rows = [[momentum(lam, player.lr, rule.momentum, step) for lam in (eps, 1.0)] for step in steps]
        shrinks = factor(eps, player.lr, rule.momentum)
        return Descent(one, points, np.array(rows) * np.array(start), "formula", shrinks)
    rates = [player.rate(step, run.steps) for step in range(steps[-1])]
    return Descent(one, points, path(rule, rates, eps, start).numpy()[steps], "float64", None)


def _section(eps: float, descents: Sequence[Descent]) -> Section:
    rate = partial(_rate, keys=_varied_keys(descents))
    paths: dict[str, dict[str, np.ndarray]] = {}
    for one in descents:
        paths.setdefault(one.cell.said("optimizer"), {}).setdefault(rate(one), one.points)
    return Section(
        f"Descent of (eps x^2 + y^2) / 2, eps = {eps:g}",
        _text(eps, descents, rate),
        {
            "Trajectories from the square to the dot; adjacent contours differ by a factor of 10": partial(
                maps, paths, eps
            ),
            "Function value over steps": partial(heights, paths, eps),
        },
    )


def _varied_keys(descents: Sequence[Descent]) -> list[str]:
    """Return the other varied keys, which make the row labels unique."""
    overrides = [one.cell.record["cell"]["overrides"] for one in descents]
    keys = dict.fromkeys(key for own in overrides for key in own if key not in ("optimizer", "lr", "experiment"))
    return [key for key in keys if len({str(own.get(key)) for own in overrides}) > 1]


def _rate(one: Descent, keys: Sequence[str]) -> str:
    own = one.cell.record["cell"]["overrides"]
    return ", ".join([f"{one.cell.lr:g}", *(f"{key}={own[key]}" for key in keys if key in own)])


def _text(eps: float, descents: Sequence[Descent], rate: Callable[[Descent], str]) -> str:
    head = ["optimizer", "rate", "steps", "x, y", "expected x, y", "by", "largest difference", "factor of a step"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    lines += [f"| {' | '.join(_row(one, rate(one)))} |" for one in descents]
    eta, mu = best_heavy_ball(eps)
    best, slowest = best_rate(eps), (1 - eps) / (1 + eps)
    return "\n".join(lines) + (
        "\n\nExpected: by formula for gradient descent and momentum at a constant rate, else the same rule in float64. "
        "The difference is the largest over all steps, relative to the expected coordinate or to 1 if that is larger; "
        "training is in float32. The factor is the asymptotic factor per step of the distance to the minimum; "
        f"above 1 it diverges. The best rate of gradient descent is 2 / (1 + eps) = {best:.6g} with a factor "
        f"of {slowest:.6g}; the best heavy ball (Polyak 1964) has a rate of {eta:.6g}, a momentum of {mu:.6g} and a "
        f"factor of {math.sqrt(mu):.6g}. Source: {SOURCE}."
    )


def _row(one: Descent, rate: str) -> list[str]:
    lost = (one.cell.record.get("divergence") or {}).get("step")
    shown = [
        "N/A" if lost else _pair(one.points[-1]),
        "" if lost or one.expected is None else _pair(one.expected[-1]),
        one.by,
        "" if one.error is None else f"{one.error:.1e}",
        "" if one.factor is None else f"{one.factor:.6f}",
    ]
    steps = f"diverged at {lost}" if lost else str(one.cell.total_steps)
    return [one.cell.said("optimizer"), rate, steps, *shown]


def _pair(point: np.ndarray) -> str:
    return ", ".join(f"{value:.6g}" for value in point)
