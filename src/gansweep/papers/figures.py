"""Drawing of curves, losses and samples of runs, for all papers."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gansweep.papers.compare import by_method, metric_names, rate
from gansweep.papers.runs import Run
from gansweep.plot_style import BLUE, GREEN, GREY, ORANGE, PINK, SKY, VERMILION, grid_lines, key, legend, panels, styled
from gansweep.training.events import losses

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PLAYERS = {"discriminator": BLUE, "generator": VERMILION}
RATE_COLOURS = (VERMILION, ORANGE, GREEN, BLUE, SKY, PINK, GREY)
METHOD_COLOURS = (GREY, BLUE, SKY, ORANGE, VERMILION, GREEN, PINK)


def by_step(curves: Sequence[Mapping[int, float]]) -> dict[int, list[float]]:
    """Return the values of all seeds at every step with at least one value.

    >>> by_step([{0: 5.0, 10: 1.0}, {0: 6.0}])
    {0: [5.0, 6.0], 10: [1.0]}
    """
    steps = sorted({step for curve in curves for step in curve})
    return {step: [curve[step] for curve in curves if step in curve] for step in steps}


def mean_and_range(
    axis: Axes, x: Sequence[float], columns: Iterable[Sequence[float]], colour: str, label: str | None = None
) -> None:
    """Draw the mean over seeds at every x, with the range as a band."""
    columns = list(columns)
    axis.plot(x, [statistics.fmean(c) for c in columns], color=colour, lw=1.2, marker=".", ms=3, label=label)
    if any(len(column) > 1 for column in columns):
        axis.fill_between(x, [min(c) for c in columns], [max(c) for c in columns], color=colour, alpha=0.15, lw=0)


def rate_colours(rates: Iterable[float]) -> dict[float, str]:
    """Return a colour per learning rate, highest rate first."""
    return {lr: RATE_COLOURS[n % len(RATE_COLOURS)] for n, lr in enumerate(sorted(set(rates), reverse=True))}


def rate_legend(figure: Figure, colours: Mapping[float, str]) -> None:
    """Add the legend of the learning rates below all panels."""
    legend(figure, [key(rate(lr), color=colour) for lr, colour in colours.items()])


def metric_over_time(runs: Sequence[Run]) -> Figure:
    """Draw the metrics of every method over training time and over steps: mean and range over seeds."""
    metrics = metric_names(runs)
    with styled():
        figure, axes = panels(2 * len(metrics), 2, "", (4.2, 3.0 if len(metrics) == 1 else 2.6))
        for row, (name, metric) in enumerate(metrics.items()):
            pair = axes[2 * row : 2 * row + 2]
            for n, (method, group) in enumerate(by_method(runs).items()):
                columns = by_step([run.values(name) for run in group])
                times = [statistics.fmean(r.trained_s[s] for r in group if s in r.trained_s) for s in columns]
                for axis, x in zip(pair, (times, list(columns)), strict=True):
                    mean_and_range(axis, x, columns.values(), METHOD_COLOURS[n % len(METHOD_COLOURS)], method)
            for axis, label in zip(pair, ("training time (s)", "step (generator updates)"), strict=True):
                axis.set(xlabel=label, ylabel=metric)
                grid_lines(axis)
        legend(figure, axes[0].get_legend_handles_labels()[0])
        return figure


def losses_by_method(runs: Sequence[Run]) -> Figure:
    """Draw the losses of both players for the first seed of every method."""
    groups = by_method(runs)
    with styled():
        figure, axes = panels(len(groups), 3, "", (3.0, 2.2))
        for axis, (method, group) in zip(axes, groups.items(), strict=True):
            for player, values in losses(min(group, key=lambda run: run.seed).directory).items():
                axis.plot(list(values), list(values.values()), color=PLAYERS[player], lw=0.9, label=player)
            axis.set(title=method, xlabel="step")
        axes[0].legend()
        return figure


def losses_by_rate(settings: Mapping[tuple[str, float], Sequence[Run]]) -> Figure:
    """Draw the losses of the first seed, one column per optimizer and one row per player.

    Losses reach thousands with a weak penalty, so the scale is logarithmic beyond +-1.
    """
    from matplotlib.ticker import SymmetricalLogLocator

    optimizers = list(dict.fromkeys(optimizer for optimizer, _ in settings))
    colours = rate_colours(lr for _, lr in settings)
    with styled():
        figure, axes = panels(2 * len(optimizers), len(optimizers), "", (3.0, 2.2))
        for (optimizer, lr), runs in settings.items():
            by_player = losses(runs[0].directory)
            for row, player in enumerate(PLAYERS):
                axis = axes[row * len(optimizers) + optimizers.index(optimizer)]
                values = by_player.get(player, {})
                axis.plot(list(values), list(values.values()), color=colours[lr], lw=0.9)
        for n, axis in enumerate(axes):
            row, column = divmod(n, len(optimizers))
            axis.set_yscale("symlog", linthresh=1.0)
            ticks = SymmetricalLogLocator(base=10, linthresh=1.0)
            ticks.set_params(numticks=7)
            axis.yaxis.set_major_locator(ticks)
            low, high = axis.get_ylim()
            axis.set(title="" if row else optimizers[column], xlabel="step", ylim=(min(low, -10), max(high, 10)))
            axis.axhline(0, color=GREY, lw=0.5, zorder=0)
            if column == 0:
                axis.set_ylabel(f"{list(PLAYERS)[row]} loss")
        rate_legend(figure, colours)
        return figure


def last_picture(run: Run, folder: str = "samples") -> Path | None:
    """Return the last sample image of a run; None if there is none."""
    return max((run.directory / folder).glob("step_*.png"), default=None)


def show_picture(axis: Axes, path: Path | None, title: str, interpolation: str | None = None) -> None:
    """Draw a sample image, if there is one, with a title on the left."""
    from matplotlib.image import imread

    axis.axis("off")
    axis.set_title(title, fontsize=8, loc="left")
    if path is not None:
        axis.imshow(imread(path), interpolation=interpolation)


def last_images(run: Run) -> np.ndarray | None:
    """Return the images (N, H, W, 3) in [0, 1] of the last sample grid of a run; None if there is none.

    The layout is that of `training.samples.grid`.
    """
    from PIL import Image

    from gansweep.training.samples import ENLARGED, GAP, IN_A_ROW

    path = last_picture(run)
    if path is None:
        return None
    picture = np.asarray(Image.open(path).convert("RGB"), dtype=np.float32) / 255
    pitch = (picture.shape[1] - GAP) // IN_A_ROW
    rows = picture[:-GAP, :-GAP].reshape(-1, pitch, IN_A_ROW, pitch, 3).swapaxes(1, 2)
    images = rows.reshape(-1, pitch, pitch, 3)[:, GAP:, GAP:]
    small = images[:, ::ENLARGED, ::ENLARGED]
    enlarged = images.shape[1] % ENLARGED == 0 and np.array_equal(small.repeat(ENLARGED, 1).repeat(ENLARGED, 2), images)
    return small if enlarged else images


def by_class(images: np.ndarray, longest: int = 12) -> list[list[np.ndarray]]:
    """Return digits in ten rows by predicted class, most confident first, at most `longest` per row."""
    import torch

    from gansweep.metrics.classifier_features import load_shipped

    grey = torch.from_numpy(images[..., :1].copy()).permute(0, 3, 1, 2) * 2 - 1
    with torch.no_grad():
        confidence, predicted = load_shipped("mnist")(grey).softmax(1).max(1)
    order = confidence.argsort(descending=True, stable=True).tolist()
    rows = [[images[n] for n in order if int(predicted[n]) == digit][:longest] for digit in range(10)]
    return [row or [np.ones_like(images[0])] for row in rows]
