"""EPFL study, figure 4: metric over epochs by optimizer and learning rate, ours and printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gansweep.papers.epfl_comparison import STEPS_PER_EPOCH, Comparison
from gansweep.papers.rate_colours import legend, rate_colours
from gansweep.papers.seeds import by_step, curve
from gansweep.plot_style import GREY, panels, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE = (3.0, 2.4)


def curves(one: Comparison) -> Figure:
    """Draw the mean and range over seeds, one column per optimizer."""
    optimizers = list(dict.fromkeys(name for name, _ in one.settings))
    colour = rate_colours(lr for _, lr in [*one.settings, *one.printed.values])
    with styled():
        figure, axes = panels(2 * len(optimizers), len(optimizers), "", SIZE)
        for n, optimizer in enumerate(optimizers):
            above, below = axes[n], axes[n + len(optimizers)]
            above.set_title(optimizer)
            for (name, lr), cells in one.settings.items():
                if name == optimizer:
                    found = by_step([cell.values for cell in cells])
                    curve(above, [step / STEPS_PER_EPOCH for step in found], list(found.values()), colour[lr])
            for (name, lr), row in one.printed.values.items():
                if name == optimizer and row is not None:
                    below.plot([label + 1 for label in one.printed.labels], row, color=colour[lr], lw=1.2, marker=".")
            for axis in (above, below):
                axis.set(yscale="log", xlabel="epochs")
                _plain_numbers(axis)
            below.axvline(one.epochs, color=GREY, lw=0.6, ls=":")
        for row, label in ((axes[: len(optimizers)], f"ours, {one.metric}"), (axes[len(optimizers) :], "printed FID")):
            row[0].set_ylabel(label)
            _share_limits(row)
        legend(figure, colour)
        return figure


def _plain_numbers(axis: Any) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

    axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.yaxis.set_major_formatter(ScalarFormatter())
    axis.yaxis.set_minor_formatter(NullFormatter())


def _share_limits(axes: list[Any]) -> None:
    """Set equal y limits for the panels of a row."""
    low, high = zip(*(axis.get_ylim() for axis in axes), strict=True)
    for axis in axes:
        axis.set_ylim(min(low), max(high))
