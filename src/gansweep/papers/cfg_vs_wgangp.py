"""CFG (composite functional gradients) against WGAN-GP on the same networks, with detection of collapse.

Zhu, Gu and Liu, "CFG-GAN" (HKUST, MATH 6380P, 2018) print no table. Two statements are compared:
with networks of DCGAN's size CFG is better than WGAN-GP on MNIST and CIFAR-10, and in a training that collapsed,
the discriminator loss fell one reading before the score.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gansweep.formatting import number
from gansweep.papers.breakdown import Reading, readings
from gansweep.papers.seeds import spread
from gansweep.papers.tiles import by_class, tiles
from gansweep.papers.trained import Trained, read, rulers_of
from gansweep.plot_style import BLUE, GREY, ORANGE, VERMILION, panels, styled
from gansweep.section import Section

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
    """Return a section for every data set and scale in a sweep."""
    groups: dict[tuple[str, str, str], Cells] = {}
    for (scale, data), name in NAMES.items():
        for method in METHODS:
            for one in sorted(read(directory, f"{name}_{method}"), key=lambda one: one.seed):
                key = (data, scale, str(one.metric.get("name", "nothing")))
                groups.setdefault(key, {}).setdefault(method, []).append(one)
    return [_section(*key, cells) for key, cells in groups.items()]


def _section(data: str, scale: str, metric: str, cells: Cells) -> Section:
    pictures = {
        f"{' and '.join(_metrics(cells).values())} over the run": partial(curves, cells),
        "Last samples of the first seed, one row per class if the package includes a classifier for the data": (
            partial(rows, data, cells)
        ),
    }
    watched = {one.seed: readings(one) for one in cells.get("cfg", [])}
    if any(watched.values()):
        pictures["Losses and metric of CFG; cross: the discriminator loss fell, plus: the metric got worse"] = partial(
            watch, metric, watched
        )
    text = f"{_table(cells)}\n\n{_verdict(cells)}\n\n{_breakdowns(watched)}"
    return Section(f"CFG against WGAN-GP on {data}: scale {scale}", text, pictures)


def _table(cells: Cells) -> str:
    first, *second = _metrics(cells).values()
    head = ["method", f"final {first}", "best", *(f"final {name}" for name in second), "steps", "hours", "N/A"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for method, runs in cells.items():
        ended = [one for one in runs if one.final is not None]
        hours = statistics.fmean(one.record["time"]["wall_s"] for one in runs) / 3600
        row = [
            METHODS[method],
            spread([one.metric["final"] for one in ended]),
            spread([one.metric["best"] for one in ended]),
        ]
        row += [spread([one.record["metric_2"]["final"] for one in ended]) for _ in second]
        row += [str(runs[0].total_steps), number(hours), f"{len(runs) - len(ended)} of {len(runs)}"]
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines)


def _verdict(cells: Cells) -> str:
    """Return how many seeds CFG wins; steps of the two methods are not comparable."""
    claim = "The poster states that CFG is better, without numbers."
    pairs = {method: {one.seed: one.final for one in runs if one.final is not None} for method, runs in cells.items()}
    common = sorted(pairs.get("cfg", {}).keys() & pairs.get("wgan_gp", {}).keys())
    if not common:
        return f"{claim} There is no seed for which both methods have a result yet."
    won = sum(pairs["cfg"][seed] < pairs["wgan_gp"][seed] for seed in common)
    return f"{claim} Here CFG is better for {won} of {len(common)} seeds."


def _breakdowns(watched: Mapping[int, Sequence[Reading]]) -> str:
    """Return whether the discriminator loss fell before the metric got worse, for every seed."""
    if not any(watched.values()):
        return "No losses of CFG are recorded yet."
    lines = []
    for seed, found in watched.items():
        fell = [n for n, one in enumerate(found) if one.loss_fell]
        worse = [n for n, one in enumerate(found) if one.score_fell]
        for n in worse[:1]:
            first = n + 1
            while first - 1 in fell:
                first -= 1
            early = "had not fallen" if first > n else f"fell {n - first} reading{'s' * (n - first != 1)} earlier"
            lines.append(f"- seed {seed}: the metric collapsed at step {found[n].step}; the discriminator loss {early}")
        if fell and not worse:
            lines.append(
                f"- seed {seed}: the discriminator loss fell at step {found[fell[0]].step}, the metric did not collapse"
            )
    head = "Log of the poster: the discriminator loss fell from 1.37 to 0.82 one reading before the score fell. "
    return head + ("\n\n" + "\n".join(lines) if lines else "No training collapsed here.")


def curves(cells: Cells) -> Figure:
    """Draw the metrics over the fraction of the run; both runs take about the same time."""
    metrics = _metrics(cells)
    with styled():
        figure, axes = panels(len(metrics), len(metrics), "", (4.5, 3.2))
        for axis, (key, name) in zip(axes, metrics.items(), strict=True):
            for method, runs in cells.items():
                for n, one in enumerate(runs):
                    found = one.measured(key)
                    shares, label = [step / one.total_steps for step in found], METHODS[method] if n == 0 else None
                    axis.plot(shares, list(found.values()), color=COLOURS[method], linewidth=1.2, label=label)
            axis.set(xlabel="fraction of the run", ylabel=name)
        axes[0].set(yscale="log")
        axes[0].legend()
        return figure


def _metrics(cells: Cells) -> dict[str, str]:
    return rulers_of([one for runs in cells.values() for one in runs])


def rows(data: str, cells: Cells) -> Figure:
    """Draw the last samples of the first seed of each method."""
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
    """Draw discriminator loss, approximator loss and metric of every seed in three panels."""
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
