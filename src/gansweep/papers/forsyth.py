"""Forsyth, "Optimization tricks": descent of a quadratic, and a denoising autoencoder with skip connections."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from gansweep.config import build
from gansweep.optimizers.sgd import SGD
from gansweep.papers.compare import rate
from gansweep.papers.runs import Run, grouped, tables
from gansweep.quadratic import best_heavy_ball, best_rate, factor, heights, maps, momentum, path
from gansweep.schedules.constant import Constant
from gansweep.section import Block, Code, Paragraph, Picture, Section, Table

SLIDES = 'Forsyth, "Building a working autoencoder - III, Optimization tricks" (lecture slides, UIUC)'
# The table "PSNR: Mean (std); this" by `model.skips`: row, mean and standard deviation over a test set in dB, and value
# of the image shown. The row "Input" is blank, and the columns of the corruptions contain only images.
PRINTED: Mapping[str, tuple[str, float, float, float]] = {
    "none": ("No skip", 21.0, 2.8, 17.0),
    "shallow": ("Shallow", 26.0, 3.0, 24.0),
    "both": ("Both", 30.0, 4.0, 29.0),
}
ALL = "psnr/all"  # all corruptions pooled


@dataclass(frozen=True)
class Entry:
    """Results of all seeds of one optimizer, network and learning rate."""

    lr: float
    seeds: Mapping[int, Mapping[str, float]]

    def mean(self, name: str) -> float:
        """Return the mean of a measurement over seeds."""
        return statistics.fmean(measured[name] for measured in self.seeds.values())

    def decibels(self, name: str) -> str:
        """Return mean and standard deviation over images; `equal` if the images are equal, which has no PSNR."""
        if any(name not in measured for measured in self.seeds.values()):
            return "equal"
        return f"{self.mean(name):.1f} ({self.mean(f'{name}/std'):.1f})"


Best = dict[tuple[str, str], Entry]  # by optimizer and skip connections


def autoencoder_sections(runs: Sequence[Run]) -> list[Section]:
    """Return the comparison of the autoencoder for every length and data set."""
    run_tables = tables(
        runs,
        lambda run: (run.choice("data"), run.steps),
        _network,
        varied=("config.optimizer", "config.model.skips", "config.lr"),
    )
    title = "Forsyth's autoencoder on {}, {} steps{}"
    return [Section(title.format(*table.key, table.note), autoencoder_blocks(table.runs)) for table in run_tables]


def _network(run: Run) -> tuple[str, str, float]:
    return run.choice("optimizer"), str(run.config["model"]["skips"]), run.lr


def best_entries(runs: Sequence[Run]) -> Best:
    """Return the best learning rate for every optimizer and network, among rates without diverged seeds."""
    best: Best = {}
    for (optimizer, skips, lr), group in grouped(runs, _network).items():
        if any(run.final is None for run in group):
            continue
        entry = Entry(lr, {run.seed: run.metric["evaluations"][-1]["measured"] for run in group})
        before = best.get((optimizer, skips))
        if before is None or entry.mean(ALL) > before.mean(ALL):
            best[optimizer, skips] = entry
    return best


def ordered_seeds(best: Best, optimizer: str) -> tuple[int, int]:
    """Return the number of seeds with no skip < shallow < both, and the number of seeds with all three."""
    rows = [best[optimizer, skips].seeds for skips in PRINTED if (optimizer, skips) in best]
    if len(rows) < len(PRINTED):
        return 0, 0
    common = set.intersection(*(set(row) for row in rows))
    values = [[row[seed][ALL] for row in rows] for seed in common]
    return sum(all(a < b for a, b in itertools.pairwise(value)) for value in values), len(common)


def autoencoder_blocks(runs: Sequence[Run]) -> list[Block]:
    """Return the table of printed and measured PSNR, and how many seeds have the printed order."""
    best = best_entries(runs)
    if not best:
        return [Paragraph("No run has finished yet.")]
    optimizers = list(dict.fromkeys(run.choice("optimizer") for run in runs))
    any_entry = next(iter(best.values()))
    measured = next(iter(any_entry.seeds.values()))
    names = [key for key in measured if key.startswith("psnr/") and key.count("/") == 1]
    given = [any_entry.decibels(name.replace("psnr/", "given/")) for name in names]
    rows = [["Input", "", "", "blank", *given]]
    for skips, (row, mean, std, _) in PRINTED.items():
        for optimizer in optimizers:
            if (optimizer, skips) in best:
                entry = best[optimizer, skips]
                ours = map(entry.decibels, names)
                rows.append([row, optimizer, rate(entry.lr), f"{mean:g} ({std:g})", *ours])
    columns = ["ours, all" if name == ALL else name.removeprefix("psnr/") for name in names]
    seeds = ", ".join(map(str, sorted({run.seed for run in runs})))
    description = (
        "PSNR in dB on held-out images, mean (standard deviation) over images, averaged over seeds "
        f"{seeds}; for every optimizer and network at the best rate. "
    )
    pooled = " pools the corruptions; clean inputs equal their targets and are excluded from the row Input."
    source = (
        f'Printed: {SLIDES}, the table "PSNR: Mean (std); this". Data, network, noise and optimizer of the printed '
        "rows are not stated, so only their order can be compared, not the values 21, 26 and 30 dB."
    )
    return [
        Table(["row", "optimizer", "rate", "printed mean (std)", *columns], rows),
        Paragraph([description, Code("all"), pooled]),
        *(Paragraph(order) for order in (_order(best, optimizer) for optimizer in optimizers) if order),
        Paragraph(source),
    ]


def _order(best: Best, optimizer: str) -> str:
    agreeing, count = ordered_seeds(best, optimizer)
    if not count:
        return ""
    means = [best[optimizer, skips].mean(ALL) for skips in PRINTED]
    gaps = ", then ".join(f"{after - before:+.1f} dB" for before, after in itertools.pairwise(means))
    return f"{optimizer}: no skip < shallow < both in {agreeing} of {count} seeds ({gaps}; printed +5 dB, then +4 dB)."


@dataclass(frozen=True)
class Descent:
    """A trained trajectory and the expected trajectory.

    Args:
        run: the run.
        points: (R, 2), the start and the recorded points.
        expected: (R, 2) in float64; None with noisy gradients, feedback or a beta schedule.
        by: how `expected` was computed, or why it was not.
        factor: asymptotic factor per step of the distance; None without a formula.
    """

    run: Run
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


def quadratic_sections(runs: Sequence[Run]) -> list[Section]:
    """Return the trajectories for every curvature. Every run is a row."""
    groups = grouped(runs, lambda run: float(run.config["algorithm"]["eps"]))
    return [_quadratic_section(eps, group) for eps, group in groups.items()]


def descent(run: Run) -> Descent:
    """Return the recorded trajectory of a run and the expected trajectory."""
    start, eps = run.config["model"]["start"], float(run.config["algorithm"]["eps"])
    curve = run.record.get("curves", [])
    finite = itertools.takewhile(lambda point: None not in (point["x"], point["y"]), curve)
    recorded = [(0, *start), *((point["step"], point["x"], point["y"]) for point in finite)]
    steps, points = [step for step, _, _ in recorded], np.array([[x, y] for _, x, y in recorded])
    if run.config["data"].get("std") != 0:
        return Descent(run, points, None, "noisy gradients", None)
    # Only built-in classes are constructed: the settings of a record are not trusted.
    training = build.check({**run.config, "device": "cpu", "allow": []}).run
    player = None if training is None else training.member.generator
    if training is None or player is None or player.feedback is not None or player.beta_schedule is not None:
        return Descent(run, points, None, "not computed", None)
    rule = player.rule
    if isinstance(rule, SGD) and rule == SGD(momentum=rule.momentum) and player.schedule == Constant():
        unit = [[momentum(lam, player.lr, rule.momentum, step) for lam in (eps, 1.0)] for step in steps]
        expected = np.array(unit) * np.array(start)
        return Descent(run, points, expected, "formula", factor(eps, player.lr, rule.momentum))
    rates = [player.rate(step, training.steps) for step in range(steps[-1])]
    return Descent(run, points, path(rule, rates, eps, start).numpy()[steps], "float64", None)


def _quadratic_section(eps: float, runs: Sequence[Run]) -> Section:
    labels, descents = _rate_labels(runs), [descent(run) for run in runs]
    paths: dict[str, dict[str, np.ndarray]] = {}
    for label, trajectory in zip(labels, descents, strict=True):
        paths.setdefault(trajectory.run.choice("optimizer"), {}).setdefault(label, trajectory.points)
    caption = "Trajectories from the square to the dot; adjacent contours differ by a factor of 10"
    return Section(
        f"Descent of (eps x^2 + y^2) / 2, eps = {eps:g}",
        [
            *_quadratic_blocks(eps, labels, descents),
            Picture(caption, partial(maps, paths, eps)),
            Picture("Function value over steps", partial(heights, paths, eps)),
        ],
    )


def _rate_labels(runs: Sequence[Run]) -> list[str]:
    """Return the learning rate of every run, with the other settings that differ between the runs."""
    overrides = [run.record["cell"]["overrides"] for run in runs]
    keys = dict.fromkeys(key for typed in overrides for key in typed if key not in ("optimizer", "lr", "experiment"))
    differing = [key for key in keys if len({str(typed.get(key)) for typed in overrides}) > 1]
    return [
        ", ".join([f"{run.lr:g}", *(f"{key}={typed[key]}" for key in differing if key in typed)])
        for run, typed in zip(runs, overrides, strict=True)
    ]


def _quadratic_blocks(eps: float, labels: Sequence[str], descents: Sequence[Descent]) -> list[Block]:
    head = ["optimizer", "rate", "steps", "x, y", "expected x, y", "by", "largest difference", "factor of a step"]
    rows = [_row(trajectory, label) for label, trajectory in zip(labels, descents, strict=True)]
    eta, mu = best_heavy_ball(eps)
    best, slowest = best_rate(eps), (1 - eps) / (1 + eps)
    description = (
        "Expected: by formula for gradient descent and momentum at a constant rate, else the same rule in float64. "
        "The difference is the largest over all steps, relative to the expected coordinate or to 1 if that is larger; "
        "training is in float32. The factor is the asymptotic factor per step of the distance to the minimum; "
        f"above 1 it diverges. The best rate of gradient descent is 2 / (1 + eps) = {best:.6g} with a factor "
        f"of {slowest:.6g}; the best heavy ball (Polyak 1964) has a rate of {eta:.6g}, a momentum of {mu:.6g} and a "
        f"factor of {math.sqrt(mu):.6g}. Source: {SLIDES}, procedures 18.1 and 18.2."
    )
    return [Table(head, rows), Paragraph(description)]


def _row(trajectory: Descent, label: str) -> list[str]:
    diverged = trajectory.run.diverged_at
    return [
        trajectory.run.choice("optimizer"),
        label,
        f"diverged at {diverged}" if diverged else str(trajectory.run.steps),
        "N/A" if diverged else _pair(trajectory.points[-1]),
        "" if diverged or trajectory.expected is None else _pair(trajectory.expected[-1]),
        trajectory.by,
        "" if trajectory.error is None else f"{trajectory.error:.1e}",
        "" if trajectory.factor is None else f"{trajectory.factor:.6f}",
    ]


def _pair(point: np.ndarray) -> str:
    return ", ".join(f"{value:.6g}" for value in point)
