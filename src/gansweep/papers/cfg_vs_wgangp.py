"""Composite functional gradients beside WGAN-GP on the same networks: the comparison of a poster, and its breakdowns.

Zhu, Gu and Liu, "CFG-GAN" (HKUST, MATH 6380P, 2018) print no table. What they say is told beside what was found:
with networks of DCGAN's size CFG is better than WGAN-GP on MNIST and CIFAR-10, and where a training broke down,
the discriminator's loss fell one reading before the score.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gansweep.figures import BLUE, GREY, ORANGE, VERMILION, panels, styled
from gansweep.papers.breakdown import Reading, readings
from gansweep.papers.tiles import by_class, tiles
from gansweep.papers.trained import Trained, read
from gansweep.section import Section
from gansweep.text import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

METHODS: Mapping[str, str] = {"cfg": "CFG", "wgan_gp": "WGAN-GP"}
# The yamls of conf/experiment/cfg_vs_wgangp by scale and data, without the method.
NAMES = {
    ("full", "mnist"): "mnist",
    ("full", "cifar10"): "cifar10",
    ("small", "mnist"): "small_mnist",
    ("small", "cifar10"): "small_cifar10",
    ("smoke", "digits"): "smoke_digits",
}
COLOURS = {"cfg": BLUE, "wgan_gp": ORANGE}
Cells = dict[str, list[Trained]]  # by method, seed by seed


def sections(directory: Path) -> list[Section]:
    """Write a section for every data set and scale in a sweep."""
    groups: dict[tuple[str, str, str], Cells] = {}
    for (scale, data), name in NAMES.items():
        for method in METHODS:
            for one in sorted(read(directory, f"{name}_{method}"), key=lambda one: one.seed):
                key = (data, scale, str(one.metric.get("name", "nothing")))
                groups.setdefault(key, {}).setdefault(method, []).append(one)
    return [_section(*key, cells) for key, cells in groups.items()]


def _section(data: str, scale: str, metric: str, cells: Cells) -> Section:
    pictures = {
        f"{' and '.join(_measures(cells))} over the run": partial(curves, cells),
        "Last samples of the first seed, a row for each class where a classifier of the data ships with the package": (
            partial(rows, data, cells)
        ),
    }
    watched = {one.seed: readings(one) for one in cells.get("cfg", [])}
    if any(watched.values()):
        pictures[
            "Losses and metric of CFG; a cross where the discriminator's loss fell, a plus where the metric did"
        ] = partial(watch, metric, watched)
    text = f"{_table(metric, cells)}\n\n{_verdict(cells)}\n\n{_breakdowns(watched)}"
    return Section(f"CFG against WGAN-GP on {data}: scale {scale}", text, pictures)


def _table(metric: str, cells: Cells) -> str:
    scores = [one.record["metric_2"] for runs in cells.values() for one in runs if one.record.get("metric_2")]
    second = f" final {scores[0]['name']} |" if scores else ""
    lines = [f"| method | final {metric} | best |{second} steps | hours | N/A |", "|---" * (6 + bool(scores)) + "|"]
    for method, runs in cells.items():
        hours = statistics.fmean(one.record["time"]["wall_s"] for one in runs) / 3600
        lost = sum(one.final is None for one in runs)
        score = f" {_mean([(one.record.get('metric_2') or {}).get('final') for one in runs])} |" if scores else ""
        lines.append(
            f"| {METHODS[method]} | {_mean([one.final for one in runs])} | {_mean([one.best for one in runs])} |"
            f"{score} {runs[0].total_steps} | {number(hours)} | {lost} of {len(runs)} |"
        )
    return "\n".join(lines)


def _verdict(cells: Cells) -> str:
    """Say which is better, seed by seed; a step of one is no step of the other."""
    said = "The poster says that CFG is better, without numbers."
    pairs = {method: {one.seed: one.final for one in runs if one.final is not None} for method, runs in cells.items()}
    common = sorted(pairs.get("cfg", {}).keys() & pairs.get("wgan_gp", {}).keys())
    if not common:
        return f"{said} There is no seed of which both have a result yet."
    won = sum(pairs["cfg"][seed] < pairs["wgan_gp"][seed] for seed in common)
    return f"{said} Here it is so for {won} of {len(common)} seeds."


def _breakdowns(watched: Mapping[int, Sequence[Reading]]) -> str:
    """Say whether the discriminator's loss fell before the metric did."""
    if not any(watched.values()):
        return "No losses of CFG are on record yet."
    lines = []
    for seed, found in watched.items():
        fell = [n for n, one in enumerate(found) if one.loss_fell]
        worse = [n for n, one in enumerate(found) if one.score_fell]
        for n in worse[:1]:
            first = n + 1
            while first - 1 in fell:
                first -= 1
            early = "had not fallen" if first > n else f"fell {n - first} reading{'s' * (n - first != 1)} earlier"
            lines.append(f"- seed {seed}: the metric broke down at step {found[n].step}; D's loss {early}")
        if fell and not worse:
            lines.append(f"- seed {seed}: D's loss fell at step {found[fell[0]].step}, the metric did not break down")
    head = "The poster's log: D's loss fell from 1.37 to 0.82 one reading before the score did. "
    return head + ("\n\n" + "\n".join(lines) if lines else "Here no training broke down.")


def curves(cells: Cells) -> Figure:
    """Draw what was measured over the share of the run, whose length in time is about the same for both."""
    measures = _measures(cells)
    with styled():
        figure, axes = panels(len(measures), len(measures), "", (4.5, 3.2))
        for axis, (name, key) in zip(axes, measures.items(), strict=True):
            for method, runs in cells.items():
                for n, one in enumerate(runs):
                    found = [(e["step"], e.get(key)) for e in one.metric.get("evaluations", [])]
                    told = [(step / one.total_steps, value) for step, value in found if value is not None]
                    label = METHODS[method] if n == 0 else None
                    axis.plot(*zip(*told, strict=True), color=COLOURS[method], linewidth=1.2, label=label)
            axis.set(xlabel="share of the run", ylabel=name)
        axes[0].set(yscale="log")
        axes[0].legend()
        return figure


def _measures(cells: Cells) -> dict[str, str]:
    """Return the names of what was measured, and of its values in an evaluation."""
    records = [one.record for runs in cells.values() for one in runs]
    keys = {"metric": "value", "metric_2": "value_2"}
    return {record[key]["name"]: value for key, value in keys.items() for record in records if record.get(key)}


def rows(data: str, cells: Cells) -> Figure:
    """Show the last samples of each method's first seed."""
    import numpy as np

    with styled():
        figure, axes = panels(len(cells), len(cells), "", (3.6, 3.8))
        for axis, (method, runs) in zip(axes, cells.items(), strict=True):
            axis.axis("off")
            images = tiles(runs[0].directory)
            axis.set_title(METHODS[method] if images is not None else f"{METHODS[method]}: no picture")
            if images is not None:
                shown = (
                    by_class(images)
                    if data == "mnist"
                    else [list(row) for row in images.reshape(8, 8, *images.shape[1:])]
                )
                blank = np.ones_like(images[0])
                width = max(map(len, shown))
                full = [np.concatenate([*row, *[blank] * (width - len(row))], 1) for row in shown]
                axis.imshow(np.concatenate(full, 0))
        return figure


def watch(metric: str, watched: Mapping[int, Sequence[Reading]]) -> Figure:
    """Draw D's loss, the approximator's loss and the metric of every seed, one above the other."""
    with styled():
        figure, axes = panels(3, 1, "", (6, 1.7))
        for seed, found in watched.items():
            steps = [one.step for one in found]
            _line(axes[0], steps, [one.d_loss for one in found], [one.loss_fell for one in found], "x", f"seed {seed}")
            _line(axes[1], steps, [one.fit_loss for one in found], [False] * len(found), "", "")
            _line(axes[2], steps, [one.score for one in found], [one.score_fell for one in found], "+", "")
        axes[0].axhline(2 * 0.6931472, color=GREY, linestyle="--", linewidth=0.8)
        axes[0].set(ylabel="D's loss")
        axes[1].set(ylabel="approximator's", yscale="log")
        axes[2].set(ylabel=metric, xlabel="stage", yscale="log")
        if len(watched) > 1:
            axes[0].legend()
        return figure


def _line(
    axis: Axes, steps: Sequence[int], values: Sequence[float], marked: Sequence[bool], mark: str, label: str
) -> None:
    (line,) = axis.plot(steps, values, linewidth=1.0, label=label or None)
    at = [n for n, one in enumerate(marked) if one]
    if at:
        axis.plot([steps[n] for n in at], [values[n] for n in at], mark, color=VERMILION, markersize=7)
    line.set_solid_capstyle("round")


def _mean(values: Sequence[float | None]) -> str:
    there = [value for value in values if value is not None]
    if not there:
        return "N/A"
    spread = f" ± {number(statistics.stdev(there), like=there[0])}" if len(there) > 1 else ""
    return number(statistics.fmean(there)) + spread
