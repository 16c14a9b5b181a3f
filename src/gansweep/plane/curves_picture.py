"""Learning curves of 2D experiments, with the metric of real against real points."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gansweep.plane.trained_cell import Played, by, floors, task
from gansweep.plot_style import BLUE, GREEN, GREY, ORANGE, PINK, SKY, VERMILION, panels, save, styled
from gansweep.sweep.identity import plain
from gansweep.sweep.sweep_keys import order, swept_keys, value

COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PINK, SKY)
# Dash patterns in points; "--" is reserved for the floor.
LINES: tuple[Any, ...] = (
    "-", "-.", ":", (0, (7, 1.5)), (0, (3, 1, 1, 1, 1, 1)), (0, (1, 4)), (0, (9, 2, 2, 2, 2, 2)), (0, (12, 4)),
)  # fmt: skip
SEED = "seed"
IN_A_ROW = 4


def curves_picture(played: Sequence[Played], folder: Path, svg: bool = False) -> list[Path]:
    """Draw one panel per data set with one line per method and seed, and return the files.

    A method is a combination of all other swept settings. The colour shows the first of them, the line style the
    others.

    Raises:
        ValueError: no cell has an evaluation.
    """
    measured = [one for one in played if one.evaluations and one.run.metric is not None]
    if not measured:
        raise ValueError("no evaluations yet: no learning curves to draw")
    keys = [key for key in swept_keys([one.cell for one in measured]) if key not in ("data", SEED)]
    firsts = order([value(one.cell, keys[0]) for one in measured]) if keys else [None]
    rests = list(dict.fromkeys(_words(one, keys[1:]) for one in measured))
    tasks = list(by(measured, task))
    (name,) = {one.name for one in measured} if len({one.name for one in measured}) == 1 else ("metric",)
    known = floors(measured)
    with styled():
        figure, axes = panels(len(tasks), min(len(tasks), IN_A_ROW), "", (3.6 if len(tasks) > 1 else 5, 3.0))
        lines: dict[str, Any] = {}
        crossed = False
        for n, (axis, (key, group)) in enumerate(zip(axes, tasks, strict=True)):
            for one in group:
                first = firsts.index(value(one.cell, keys[0])) if keys else 0
                colour, style = look(first, rests.index(_words(one, keys[1:])), len(rests))
                steps, values = one.measured
                (line,) = axis.plot(
                    steps, values, linestyle=style, color=colour, linewidth=1.2, marker=".", markersize=3.5
                )
                lines.setdefault(_words(one, keys) or one.cell.name, line)
                if one.diverged_at is not None and len(steps):
                    axis.plot(steps[-1], values[-1], "x", color=colour, markersize=7, markeredgewidth=1.8)
                    crossed = True
            if key in known:
                axis.axhline(known[key], color=GREY, linestyle="--", linewidth=1)
            _scale(axis, group)
            axis.set(title=group[0].run.data.name, xlabel="step (generator updates)")
            axis.grid(alpha=0.25, which="both", linewidth=0.5)
            if n % IN_A_ROW == 0:
                axis.set_ylabel(f"{name} to the data\n(length in data units)" if name == "W1" else name)
        handles, labels = list(lines.values()), list(lines)
        for handle, label in _key(floor=bool(known), crossed=crossed):
            handles.append(handle)
            labels.append(label)
        figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 4 if len(tasks) > 1 else 2))
        return save(figure, folder / f"{name.lower()}.png", svg)


def look(first: int, rest: int, num_rests: int) -> tuple[str, Any]:
    """Return colour and line style of a method from the index of its first setting and of the others.

    `num_rests` is the number of combinations of the others. There are 48 distinct looks.
    """
    turn = first // len(COLOURS) * num_rests + rest
    return COLOURS[first % len(COLOURS)], LINES[turn % len(LINES)]


def _scale(axis: Any, group: Sequence[Played]) -> None:
    """Make the y axis logarithmic if lower is better and all values are positive."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    drawn = [float(value) for one in group for value in one.measured[1]]
    if not drawn or min(drawn) <= 0 or not all(one.run.metric and one.run.metric.lower_is_better for one in group):
        return
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    axis.yaxis.set_minor_formatter(NullFormatter())


def _words(one: Played, keys: Sequence[str]) -> str:
    return ", ".join(f"{key}={plain(value(one.cell, key))}" for key in keys)


def _key(floor: bool, crossed: bool) -> list[tuple[Any, str]]:
    from matplotlib.lines import Line2D

    found = []
    if floor:
        found.append((Line2D([], [], color=GREY, linestyle="--", linewidth=1), "floor: real against real points"))
    if crossed:
        cross = Line2D([], [], color=GREY, marker="x", linestyle="", markersize=7, markeredgewidth=1.8)
        found.append((cross, "diverges after this"))
    return found
