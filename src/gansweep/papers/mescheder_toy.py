"""Eight Gaussians with and without a regulariser, and the losses as the UVA slides draw them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from gansweep.papers.loss_profiles import losses
from gansweep.papers.methods import by_method, groups_of, over_time, table
from gansweep.papers.trained import Trained, read_all
from gansweep.section import Section

NAME = "mescheder_toy"


def sections(directory: Path) -> list[Section]:
    """Write a section for every metric and length in a sweep."""
    written = []
    for (_, ruler, steps), cells in groups_of(read_all(directory, NAME)).items():
        text = (
            f"{table(cells)}\n\nPrinted: the UVA slides (Pan and Cheng 2019) show samples and loss curves of weight 0, "
            "here `none`, and no number. Their code's own regulariser, a price on the generator for the slope of the "
            "game by the discriminator's weights, is none of Mescheder's and is not here."
        )
        pictures = {
            "losses of the first seed": partial(draw_losses, cells),
            f"{ruler} over time and over steps": partial(over_time, cells),
        }
        written.append(Section(f"Eight Gaussians, {steps} steps", text, pictures))
    return written


def draw_losses(cells: list[Trained]):
    """Draw both players' losses of every method's first seed."""
    from gansweep.plot_style import BLUE, VERMILION, panels, styled

    groups = by_method(cells)
    with styled():
        figure, axes = panels(len(groups), 3, "", (3.0, 2.2))
        for axis, (method, group) in zip(axes, groups.items(), strict=True):
            for (player, (steps, values)), colour in zip(
                losses(min(group, key=lambda one: one.seed).directory).items(), (BLUE, VERMILION), strict=False
            ):
                axis.plot(steps, values, color=colour, lw=0.9, label=player)
            axis.set(title=method, xlabel="step")
        axes[0].legend()
        return figure
