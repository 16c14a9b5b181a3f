"""Losses of both players over steps, from the TensorBoard files of a sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansweep.papers.rate_colours import legend, rate_colours
from gansweep.papers.trained import Trained
from gansweep.plot_style import GREY, panels, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLAYERS = ("discriminator", "generator")
POINTS = 500  # largest number of points per curve
SIZE = (3.0, 2.2)


def loss_profiles(settings: Mapping[tuple[str, float], Sequence[Trained]]) -> Figure:
    """Draw the losses of the first seed, one column per optimizer and one row per player.

    Losses reach thousands with a weak penalty, so the scale is logarithmic beyond +-1.
    """
    optimizers = list(dict.fromkeys(name for name, _ in settings))
    colour = rate_colours(lr for _, lr in settings)
    with styled():
        figure, axes = panels(2 * len(optimizers), len(optimizers), "", SIZE)
        for (optimizer, lr), cells in settings.items():
            found = losses(cells[0].directory)
            for row, player in enumerate(PLAYERS):
                axis = axes[row * len(optimizers) + optimizers.index(optimizer)]
                steps, values = found.get(player, ((), ()))
                axis.plot(steps, values, color=colour[lr], lw=0.9)
        for n, axis in enumerate(axes):
            _dress(axis, optimizers[n] if n < len(optimizers) else "", PLAYERS[n // len(optimizers)], n)
        legend(figure, colour)
        return figure


def losses(directory: Path) -> dict[str, tuple[list[int], list[float]]]:
    """Return steps and losses by player; players without data are omitted."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(directory), size_guidance={"scalars": POINTS})
    if not list(directory.glob("events.out.tfevents.*")):
        return {}
    events.Reload()
    known = events.Tags()["scalars"]
    found = {}
    for player in PLAYERS:
        if f"loss/{player}" in known:
            points = events.Scalars(f"loss/{player}")
            found[player] = ([point.step for point in points], [point.value for point in points])
    return found


def _dress(axis: Any, title: str, player: str, place: int) -> None:
    from matplotlib.ticker import SymmetricalLogLocator

    axis.set_yscale("symlog", linthresh=1.0)
    few = SymmetricalLogLocator(base=10, linthresh=1.0)
    few.set_params(numticks=7)
    axis.yaxis.set_major_locator(few)
    low, high = axis.get_ylim()
    axis.set(title=title, xlabel="step", ylim=(min(low, -10), max(high, 10)))
    axis.axhline(0, color=GREY, lw=0.5, zorder=0)
    if place % max(1, len(axis.figure.axes) // 2) == 0:
        axis.set_ylabel(f"{player} loss")
