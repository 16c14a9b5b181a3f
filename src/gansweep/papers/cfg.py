"""CFG (composite functional gradients) against WGAN-GP on the same networks, with detection of collapse.

Zhu, Gu and Liu, "CFG-GAN" (HKUST, MATH 6380P, 2018) print no table. Two statements are compared:
with networks of DCGAN's size CFG is better than WGAN-GP on MNIST and CIFAR-10, and in a training that collapsed,
the discriminator loss fell one reading before the score.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from gansweep.formatting import number
from gansweep.papers.compare import metric_names, plural, results
from gansweep.papers.figures import by_class, last_images
from gansweep.papers.runs import Run, RunTable, grouped, tables
from gansweep.plot_style import BLUE, GREY, ORANGE, VERMILION, panels, styled
from gansweep.section import Block, List, Paragraph, Picture, Section, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

METHODS = {"cfg": "CFG", "wgan_gp": "WGAN-GP"}
COLOURS = {"cfg": BLUE, "wgan_gp": ORANGE}
# Settings that the methods may have of their own; all others are the same in a comparison.
VARIED = ("algorithm", "loss", "optimizer", "lr", "lr_d", "steps", "epochs", "batch_size", "critic_steps", "trainer")
LOSS_BELOW = 1.0  # threshold on the discriminator loss, which is just under 2 ln 2 = 1.386 in stable training
WORSE = 1.5  # factor on the best value so far
Runs = dict[str, list[Run]]  # by method, sorted by seed


@dataclass(frozen=True)
class Reading:
    """An evaluation, with the mean losses since the previous reading.

    Args:
        step: step of the evaluation.
        score: the metric, lower is better.
        d_loss: mean discriminator loss since the previous reading.
        fit_loss: mean approximator loss since the previous reading.
        loss_fell: whether the discriminator loss is below 1 and the median of the earlier ones is not.
        collapsed: whether the metric is at least 1.5 times its best value so far.
    """

    step: int
    score: float
    d_loss: float
    fit_loss: float
    loss_fell: bool
    collapsed: bool


def readings(run: Run) -> list[Reading]:
    """Return the evaluations of a run with its recorded losses; empty without recorded losses."""
    losses = [
        {point["step"]: point[name] for point in run.record.get("curves", []) if point.get(name) is not None}
        for name in ("discriminator_loss", "approximator_loss")
    ]
    series: list[Reading] = []
    previous = 0
    for step, score in run.values().items():
        if step == 0:
            continue
        d_losses, fits = ([value for at, value in curve.items() if previous < at <= step] for curve in losses)
        previous = step
        if not d_losses or not fits:
            continue
        d_loss, earlier = statistics.fmean(d_losses), [reading.d_loss for reading in series]
        fell = d_loss < LOSS_BELOW and bool(earlier) and statistics.median(earlier) >= LOSS_BELOW
        best = min((reading.score for reading in series), default=score)
        series.append(Reading(step, score, d_loss, statistics.fmean(fits), fell, score >= WORSE * best))
    return series


def names_of(run: Run) -> tuple[str, str, str]:
    """Return data, scale and method of a run: mnist, small, cfg for cfg_vs_wgangp/small_mnist_cfg."""
    name = run.choice("experiment")
    method = next((method for method in METHODS if name.endswith(f"_{method}")), "")
    scale, _, data = name.removesuffix(f"_{method}").rpartition("_")
    return data, scale or "full", method


def sections(runs: Sequence[Run]) -> list[Section]:
    """Return a section for every data set and scale."""
    order = {("mnist", "full"): 0, ("cifar10", "full"): 1, ("mnist", "small"): 2, ("cifar10", "small"): 3}
    known = [run for run in runs if names_of(run)[2]]
    position = {run.directory: order.get(names_of(run)[:2], len(order)) for run in known}
    run_tables = tables(
        sorted(known, key=lambda run: (position[run.directory], names_of(run)[2], run.seed)),
        lambda run: (*names_of(run)[:2], run.metric_name),
        lambda run: names_of(run)[2],
        varied=[f"config.{setting}" for setting in VARIED],
    )
    return [_section(table, grouped(table.runs, lambda run: names_of(run)[2])) for table in run_tables]


def _section(table: RunTable, runs: Runs) -> Section:
    data, scale, metric = table.key
    by_seed = {run.seed: readings(run) for run in runs.get("cfg", [])}
    rows = "Last samples of the first seed, one row per class if the package includes a classifier for the data"
    blocks = [
        _table(runs),
        Paragraph(_verdict(runs)),
        *_collapses(by_seed),
        Picture(f"{' and '.join(_metrics(runs).values())} over the run", partial(curves, runs)),
        Picture(rows, partial(samples, data, runs)),
    ]
    if any(by_seed.values()):
        caption = "Losses and metric of CFG; cross: the discriminator loss fell, plus: the metric got worse"
        blocks.append(Picture(caption, partial(losses, metric, by_seed)))
    return Section(f"CFG against WGAN-GP on {data}: scale {scale}{table.note}", blocks)


def _metrics(runs: Runs) -> dict[str, str]:
    return metric_names(run for group in runs.values() for run in group)


def _table(runs: Runs) -> Table:
    first, *second = _metrics(runs).values()
    rows = []
    for method, group in runs.items():
        _, values, lost = results(group, len(second))
        hours = statistics.fmean(run.record["time"]["wall_s"] for run in group) / 3600
        rows.append([METHODS[method], *values, str(group[0].steps), number(hours), lost])
    head = ["method", f"final {first}", "best", *(f"final {name}" for name in second), "steps", "hours", "N/A"]
    return Table(head, rows)


def _verdict(runs: Runs) -> str:
    """Return for how many seeds CFG is better; steps of the two methods are not comparable."""
    claim = "The poster states that CFG is better, without numbers."
    cfg, wgan_gp = (
        {run.seed: run.final for run in runs.get(method, []) if run.final is not None} for method in METHODS
    )
    common = cfg.keys() & wgan_gp.keys()
    if not common:
        return f"{claim} There is no seed for which both methods have a result yet."
    return f"{claim} Here CFG is better for {sum(cfg[s] < wgan_gp[s] for s in common)} of {len(common)} seeds."


def _collapses(by_seed: Mapping[int, Sequence[Reading]]) -> list[Block]:
    """Return whether the discriminator loss fell before the metric got worse, for every seed."""
    if not any(by_seed.values()):
        return [Paragraph("No losses of CFG are recorded yet.")]
    lines = []
    for seed, series in by_seed.items():
        fell = [n for n, reading in enumerate(series) if reading.loss_fell]
        collapse = next((n for n, reading in enumerate(series) if reading.collapsed), None)
        if collapse is not None:
            first = collapse + 1
            while first - 1 in fell:
                first -= 1
            earlier = collapse - first
            early = "had not fallen" if earlier < 0 else f"fell {earlier} {plural(earlier, 'reading')} earlier"
            lines.append(
                f"seed {seed}: the metric collapsed at step {series[collapse].step}; the discriminator loss {early}"
            )
        elif fell:
            step = series[fell[0]].step
            lines.append(f"seed {seed}: the discriminator loss fell at step {step}, the metric did not collapse")
    head = "Log of the poster: the discriminator loss fell from 1.37 to 0.82 one reading before the score fell."
    return [Paragraph(head), List(lines)] if lines else [Paragraph(f"{head} No training collapsed here.")]


def curves(runs: Runs) -> Figure:
    """Draw the metrics over the fraction of the run; both methods take about the same time."""
    metrics = _metrics(runs)
    with styled():
        figure, axes = panels(len(metrics), len(metrics), "", (4.5, 3.2))
        for axis, (key, name) in zip(axes, metrics.items(), strict=True):
            for method, group in runs.items():
                for n, run in enumerate(group):
                    values = run.values(key)
                    fractions, label = [step / run.steps for step in values], None if n else METHODS[method]
                    axis.plot(fractions, list(values.values()), color=COLOURS[method], linewidth=1.2, label=label)
            axis.set(xlabel="fraction of the run", ylabel=name)
        axes[0].set(yscale="log")
        axes[0].legend()
        return figure


def samples(data: str, runs: Runs) -> Figure:
    """Draw the last samples of the first seed of each method."""
    with styled():
        figure, axes = panels(len(runs), len(runs), "", (3.6, 3.8))
        for axis, (method, group) in zip(axes, runs.items(), strict=True):
            axis.axis("off")
            images = last_images(group[0])
            axis.set_title(METHODS[method] if images is not None else f"{METHODS[method]}: no picture")
            if images is None:
                continue
            rows = by_class(images) if data == "mnist" else [list(images[n : n + 8]) for n in range(0, len(images), 8)]
            blank, longest = np.ones_like(images[0]), max(map(len, rows))
            axis.imshow(np.concatenate([np.concatenate([*row, *[blank] * (longest - len(row))], 1) for row in rows]))
        return figure


def losses(metric: str, by_seed: Mapping[int, Sequence[Reading]]) -> Figure:
    """Draw discriminator loss, approximator loss and metric of every seed in three panels."""
    with styled():
        figure, (d_axis, fit_axis, score_axis) = panels(3, 1, "", (6, 1.7))
        for seed, series in by_seed.items():
            steps = [reading.step for reading in series]
            d_axis.plot(steps, [reading.d_loss for reading in series], linewidth=1.0, label=f"seed {seed}")
            fit_axis.plot(steps, [reading.fit_loss for reading in series], linewidth=1.0)
            score_axis.plot(steps, [reading.score for reading in series], linewidth=1.0)
            _mark(d_axis, [(reading.step, reading.d_loss) for reading in series if reading.loss_fell], "x")
            _mark(score_axis, [(reading.step, reading.score) for reading in series if reading.collapsed], "+")
        d_axis.axhline(2 * math.log(2), color=GREY, linestyle="--", linewidth=0.8)
        d_axis.set(ylabel="D's loss")
        fit_axis.set(ylabel="approximator's", yscale="log")
        score_axis.set(ylabel=metric, xlabel="stage", yscale="log")
        if len(by_seed) > 1:
            d_axis.legend()
        return figure


def _mark(axis: Axes, points: Sequence[tuple[int, float]], marker: str) -> None:
    if points:
        axis.plot(*zip(*points, strict=True), marker, color=VERMILION, markersize=7)
