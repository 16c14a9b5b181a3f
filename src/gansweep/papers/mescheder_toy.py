"""Eight Gaussians with and without regularisation, with loss curves as in the UVA slides."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from gansweep.papers.loss_profiles import losses
from gansweep.papers.methods import by_method, groups_of, over_time, table
from gansweep.papers.trained import Trained, read_all
from gansweep.section import Section

NAME = "mescheder_toy"


def sections(directory: Path) -> list[Section]:
    """Return a section for every metric and length in a sweep."""
    written = []
    for (_, metric, steps), cells in groups_of(read_all(directory, NAME)).items():
        text = (
            f"{table(cells)}\n\nPrinted: the UVA slides (Pan and Cheng 2019) show samples and loss curves of weight 0, "
            "here `none`, but no number. The regulariser of their code, a generator penalty on the gradient of "
            "the game by the discriminator weights, is not one of Mescheder's and is not implemented here."
        )
        pictures = {
            "losses of the first seed": partial(draw_losses, cells),
            f"{metric} over time and over steps": partial(over_time, cells),
        }
        written.append(Section(f"Eight Gaussians, {steps} steps", text, pictures))
    return written


def draw_losses(cells: list[Trained]):
    """Draw the losses of both players for the first seed of every method."""
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
