"""Colours of learning rates, and their legend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from gansweep.papers.printed import rate
from gansweep.plot_style import BLUE, GREEN, GREY, ORANGE, PINK, SKY, VERMILION

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = (VERMILION, ORANGE, GREEN, BLUE, SKY, PINK, GREY)


def rate_colours(rates: Iterable[float]) -> dict[float, str]:
    """Return a colour per rate, highest rate first."""
    return {lr: COLOURS[n % len(COLOURS)] for n, lr in enumerate(sorted(set(rates), reverse=True))}


def legend(figure: Figure, colours: Mapping[float, str]) -> None:
    """Add the legend of the rates below all panels."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=colour, label=rate(lr)) for lr, colour in colours.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
