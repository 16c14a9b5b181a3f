"""Figures of cells on 2D data: generated points, and learning curves with the value of real points."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gansweep.formatting import number
from gansweep.plane.trained_cell import TrainedCell, by, floors
from gansweep.plot_curves import draw_curve
from gansweep.plot_style import BLUE, COLOURS, CROSS, FLOOR, GREY, VERMILION, key, log_values, panels, save, styled
from gansweep.sweep.identity import plain
from gansweep.sweep.sweep_keys import SEEDS, order, swept_keys, value

IN_A_ROW, MAX_STEPS = 5, 8
FINE = 120  # grid points of the logits along each axis
SIZE = (2.5, 3.0)  # size of a panel in inches
Frame = tuple[float, float, float, float]  # left, right, bottom, top
# Dash patterns of the methods in points; "--" is reserved for real against real points.
DASHES: tuple[Any, ...] = (
    "-", "-.", ":", (0, (7, 1.5)), (0, (3, 1, 1, 1, 1, 1)), (0, (1, 4)), (0, (9, 2, 2, 2, 2, 2)), (0, (12, 4)),
)  # fmt: skip
CURVES_IN_A_ROW = 4


def samples_pictures(cells: Sequence[TrainedCell], folder: Path, svg: bool = False) -> list[Path]:
    """Draw every cell's last checkpoint, and return the files.

    Columns and rows are the two settings with the most values, with the data in the columns. Every combination of the
    other settings has its own figure.
    """
    keys = swept_keys([trained.cell for trained in cells])
    counts = {name: len({plain(value(trained.cell, name)) for trained in cells}) for name in keys}
    two = sorted(sorted(keys, key=lambda name: -counts[name])[:2], key=lambda name: (name != "data", -counts[name]))
    across, down = [*two, None, None][:2]
    others = [name for name in keys if name not in two]
    written, floor = [], floors(cells)
    for rest, group in by(cells, lambda trained: _settings(trained, others, ",")):
        path = folder / (f"samples_{_file_name(rest)}.png" if rest else "samples.png")
        written += _grid(group, across, down, rest, path, floor, svg)
    return written


def over_time(trained: TrainedCell, path: Path, svg: bool = False) -> list[Path]:
    """Draw the saved points of one cell at up to eight steps, and return the files.

    Raises:
        ValueError: the cell has no saved points.
    """
    if not trained.saved_points:
        raise ValueError(
            f"{trained.cell.directory / 'samples'}: no step_*.npz with points; a run saves them "
            "every trainer.sample_every steps"
        )
    steps = list(trained.saved_points)
    steps = [steps[n] for n in np.unique(np.linspace(0, len(steps) - 1, MAX_STEPS).round().astype(int))]
    values = dict(zip(*(part.tolist() for part in trained.measured), strict=True))
    (frame,) = frames([trained]).values()
    with styled():
        figure, axes = panels(len(steps), min(len(steps), 4), trained.cell.name.rpartition("-")[0], SIZE)
        for axis, step in zip(axes, steps, strict=True):
            measured = f"{trained.name} {number(values[step])}" if step in values else ""
            axis.set_title(f"step {step}\n{measured}")
            _points(axis, trained.real, trained.saved_points[step], frame)
        figure.legend(handles=keys(shaded=False), loc="outside lower center", ncols=2)
        return save(figure, path, svg)


def _grid(
    cells: Sequence[TrainedCell],
    across: str | None,
    down: str | None,
    title: str,
    path: Path,
    floor: dict[str, float],
    svg: bool,
) -> list[Path]:
    """Draw one panel per combination of the settings `across` (columns) and `down` (rows)."""
    axes_keys = [name for name in (down, across) if name is not None]
    columns, rows = (
        order([value(trained.cell, name) for trained in cells]) if name is not None else [None]
        for name in (across, down)
    )
    by_settings = {_settings(trained, axes_keys): trained for trained in cells}
    wide = len(columns) if down is not None else min(len(columns), IN_A_ROW)
    with styled():
        figure, axes = panels(len(rows) * len(columns), wide, title, SIZE)
        figure.get_layout_engine().set(h_pad=0.08)  # type: ignore[union-attr]
        limits, shaded = frames(cells), False
        for axis, (row, column) in zip(axes, ((row, column) for row in rows for column in columns), strict=True):
            pairs = ((down, row), (across, column))
            words = ", ".join(f"{name}={plain(chosen)}" for name, chosen in pairs if name is not None)
            trained = by_settings.get(words)
            if trained is None:
                axis.set_title(f"{words}\nnot in the sweep")
                axis.axis("off")
                continue
            axis.set_title("\n".join(filter(None, (words, trained.words(floor.get(trained.task))))))
            shaded |= draw(axis, trained, limits[trained.task])
        figure.legend(handles=keys(shaded), loc="outside lower center", ncols=2 if wide < 4 else 4)
        return save(figure, path, svg)


def draw(axis: Any, trained: TrainedCell, frame: Frame) -> bool:
    """Draw the latest points of a cell over the data; return whether the logits could be drawn."""
    shaded = _logits(axis, trained, frame)
    step, fake = trained.newest
    _points(axis, trained.real, fake, frame)
    if trained.diverged_at is not None and step is not None:
        _note(axis, f"as of step {step}", "bottom")
    return shaded


def frames(cells: Sequence[TrainedCell]) -> dict[str, Frame]:
    """Return by task a square 1.5 times as wide as the data."""
    limits = {}
    for task, group in by(cells, lambda trained: trained.task):
        real = np.concatenate([trained.real for trained in group])
        low, high = real.min(0), real.max(0)
        half = 0.75 * max(float((high - low).max()), 0.5)
        x, y = (low + high) / 2
        limits[task] = (x - half, x + half, y - half, y + half)
    return limits


def _logits(axis: Any, trained: TrainedCell, frame: Frame) -> bool:
    """Draw the logits as shading (darker is higher) and contours; return whether they could be drawn."""
    from matplotlib.colors import LinearSegmentedColormap

    x, y = np.linspace(*frame[:2], FINE), np.linspace(*frame[2:], FINE)
    logits = trained.logits(np.stack(np.meshgrid(x, y), -1).reshape(-1, 2))
    if logits is None or not np.isfinite(logits).all() or np.ptp(logits) == 0:
        return False
    logits = logits.reshape(FINE, FINE)
    pale = LinearSegmentedColormap.from_list("pale", ["#ffffff", "#cfe3f2"])
    levels = np.linspace(logits.min(), logits.max(), 9)
    axis.contourf(x, y, logits, levels=levels, cmap=pale, zorder=0)
    axis.contour(x, y, logits, levels=levels[1:-1], colors="#9dbfd9", linewidths=0.4, linestyles="-", zorder=0.5)
    if logits.min() < 0 < logits.max():
        axis.contour(x, y, logits, levels=[0.0], colors=BLUE, linewidths=0.9, zorder=0.6)
    return True


def _points(axis: Any, real: np.ndarray, fake: np.ndarray | None, frame: Frame) -> None:
    axis.scatter(*real.T, s=3, color=GREY, alpha=0.5, linewidths=0, rasterized=True, zorder=1)
    axis.set(xlim=frame[:2], ylim=frame[2:], aspect="equal")
    axis.tick_params(labelsize=7, length=2)
    axis.locator_params(nbins=4)
    if fake is None:
        return
    finite = fake[np.isfinite(fake).all(1)]
    axis.scatter(*finite.T, s=3, color=VERMILION, alpha=0.6, linewidths=0, rasterized=True, zorder=2)
    low, high = np.array(frame).reshape(2, 2).T
    outside = 1 - ((finite >= low) & (finite <= high)).all(1).sum() / len(fake)
    if outside >= 0.005:
        _note(axis, f"{outside:.0%} outside", "top")


def _note(axis: Any, text: str, where: str) -> None:
    box = {"color": "white", "alpha": 0.8, "pad": 1}
    y = 0.97 if where == "top" else 0.03
    axis.text(0.03, y, text, transform=axis.transAxes, va=where, fontsize=7, bbox=box, zorder=3)


def keys(shaded: bool) -> list[Any]:
    """Return the legend entries of the points, and of the discriminator's logits if `shaded`."""
    from matplotlib.patches import Patch

    points: dict[str, Any] = {"marker": "o", "markersize": 4, "linestyle": "", "markeredgewidth": 0}
    handles = [key("data", color=GREY, **points), key("generated", color=VERMILION, **points)]
    if shaded:
        logits = Patch(facecolor="#cfe3f2", edgecolor="#9dbfd9", label="discriminator logit, darker is higher")
        handles += [logits, key("logit = 0", color=BLUE, linewidth=0.9)]
    return handles


def curves_picture(cells: Sequence[TrainedCell], folder: Path, svg: bool = False) -> list[Path]:
    """Draw the metric over steps, one panel per data set and one line per method and seed, and return the files.

    A method is a combination of all other swept settings. The colour shows the first of them, the line style the
    others. Seeds share a legend entry.

    Raises:
        ValueError: no cell has an evaluation.
    """
    measured = [trained for trained in cells if trained.evaluations and trained.run.metric is not None]
    if not measured:
        raise ValueError("no evaluations yet: no learning curves to draw")
    settings = [name for name in swept_keys([trained.cell for trained in measured]) if name not in ("data", *SEEDS)]
    styles = _styles(measured, settings)
    names = {trained.name for trained in measured}
    name = names.pop() if len(names) == 1 else "metric"
    floor, tasks = floors(measured), dict(by(measured, lambda trained: trained.task))
    lines: dict[str, Any] = {}
    with styled():
        figure, axes = panels(len(tasks), min(len(tasks), CURVES_IN_A_ROW), "", (3.6 if len(tasks) > 1 else 5, 3.0))
        for n, (axis, (task, group)) in enumerate(zip(axes, tasks.items(), strict=True)):
            for trained in group:
                method, (steps, values) = _settings(trained, settings), trained.measured
                drawn = draw_curve(axis, steps, values[None], styles[method], [trained.diverged_at is not None])
                lines.setdefault(method or trained.cell.name, drawn)
            if task in floor:
                axis.axhline(floor[task], **FLOOR)
            if all(trained.run.metric and trained.run.metric.lower_is_better and min(trained.measured[1], default=1) > 0
                   for trained in group):  # fmt: skip
                log_values(axis)
            axis.set(title=group[0].run.data.name, xlabel="step (generator updates)")
            axis.grid(alpha=0.25, which="both", linewidth=0.5)
            if n % CURVES_IN_A_ROW == 0:
                axis.set_ylabel(f"{name} to the data\n(length in data units)" if name == "W1" else name)
        if floor:
            lines["real against real points"] = key("", **FLOOR)
        if any(trained.diverged_at is not None and len(trained.measured[0]) for trained in measured):
            lines["diverges after this"] = key("", **CROSS, color=GREY)
        columns = min(len(lines), 4 if len(tasks) > 1 else 2)
        figure.legend(list(lines.values()), list(lines), loc="outside lower center", ncols=columns)
        return save(figure, folder / f"{name.lower().replace(' ', '_')}.png", svg)


def _styles(cells: Sequence[TrainedCell], settings: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the line styles by method."""
    rests = list(dict.fromkeys(_settings(trained, settings[1:]) for trained in cells))
    firsts = (
        [plain(first) for first in order([value(trained.cell, settings[0]) for trained in cells])] if settings else [""]
    )
    styles = {}
    for trained in cells:
        first = plain(value(trained.cell, settings[0])) if settings else ""
        place = firsts.index(first), rests.index(_settings(trained, settings[1:]))
        colour, dashes = look(*place, len(rests))
        dots = {"linewidth": 1.2, "marker": ".", "markersize": 3.5}
        styles[_settings(trained, settings)] = {"color": colour, "linestyle": dashes, **dots}
    return styles


def look(first: int, rest: int, num_rests: int) -> tuple[str, Any]:
    """Return colour and dashes of a method from the index of its first setting and of the others.

    `num_rests` is the number of combinations of the others. There are 48 distinct looks.
    """
    turn = first // len(COLOURS) * num_rests + rest
    return COLOURS[first % len(COLOURS)], DASHES[turn % len(DASHES)]


def _settings(trained: TrainedCell, names: Sequence[str], separator: str = ", ") -> str:
    """Return settings of a cell as `key=value, ...`."""
    return separator.join(f"{name}={plain(value(trained.cell, name))}" for name in names)


def _file_name(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "._=,+-" else "-" for letter in text)
