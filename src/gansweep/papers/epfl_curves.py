"""The metric over the epochs for every optimizer and rate, ours above the printed ones: the paper's figure 4."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from gansweep.figures import GREY, panels, styled
from gansweep.papers.epfl_comparison import STEPS_PER_EPOCH, Comparison
from gansweep.papers.rate_colours import legend, rate_colours

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE = (3.0, 2.4)


def curves(one: Comparison) -> Figure:
    """Draw means over seeds with the range of the seeds, a column for every optimizer."""
    optimizers = list(dict.fromkeys(name for name, _ in one.settings))
    colour = rate_colours(lr for _, lr in [*one.settings, *one.printed.values])
    with styled():
        figure, axes = panels(2 * len(optimizers), len(optimizers), "", SIZE)
        for n, optimizer in enumerate(optimizers):
            above, below = axes[n], axes[n + len(optimizers)]
            above.set_title(optimizer)
            for (name, lr), cells in one.settings.items():
                if name == optimizer:
                    _ours(above, [cell.values for cell in cells], colour[lr])
            for (name, lr), row in one.printed.values.items():
                if name == optimizer and row is not None:
                    below.plot([label + 1 for label in one.printed.labels], row, color=colour[lr], lw=1.2, marker=".")
            for axis in (above, below):
                axis.set(yscale="log", xlabel="epochs")
                _plain_numbers(axis)
            below.axvline(one.epochs, color=GREY, lw=0.6, ls=":")
        for row, said in ((axes[: len(optimizers)], f"ours, {one.metric}"), (axes[len(optimizers) :], "printed FID")):
            row[0].set_ylabel(said)
            _share_limits(row)
        legend(figure, colour)
        return figure


def _ours(axis: Any, values: list[dict[int, float]], colour: str) -> None:
    steps = sorted({step for one in values for step in one})
    at = [[one[step] for one in values if step in one] for step in steps]
    epochs = [step / STEPS_PER_EPOCH for step in steps]
    axis.plot(epochs, [statistics.fmean(found) for found in at], color=colour, lw=1.2, marker=".", markersize=3)
    if len(values) > 1:
        axis.fill_between(epochs, [min(f) for f in at], [max(f) for f in at], color=colour, alpha=0.15, lw=0)


def _plain_numbers(axis: Any) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

    axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.yaxis.set_major_formatter(ScalarFormatter())
    axis.yaxis.set_minor_formatter(NullFormatter())


def _share_limits(axes: list[Any]) -> None:
    """Give panels side by side one scale, so that optimizers can be compared."""
    low, high = zip(*(axis.get_ylim() for axis in axes), strict=True)
    for axis in axes:
        axis.set_ylim(min(low), max(high))
