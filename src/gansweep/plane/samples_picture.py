"""Generated 2D points over data points and the logits of the discriminator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gansweep.formatting import number
from gansweep.plane.trained_cell import Played, by, floors, task
from gansweep.plot_style import BLUE, GREY, VERMILION, panels, save, styled
from gansweep.sweep.identity import plain
from gansweep.sweep.sweep_keys import order, swept_keys, value

IN_A_ROW, MOST_STEPS = 5, 8
FINE = 120  # grid points of the logits along each axis
SIZE = (2.5, 3.0)  # size of a panel in inches


def samples_pictures(played: Sequence[Played], folder: Path, svg: bool = False) -> list[Path]:
    """Draw every cell's last checkpoint, and return the files.

    Columns and rows are the two settings with the most values. Every combination of the other settings has its own
    figure.
    """
    cells = [one.cell for one in played]
    keys = swept_keys(cells)
    (across, down), others = _axes(played, keys)
    written = []
    for rest, group in by(played, lambda one: ",".join(f"{k}={plain(value(one.cell, k))}" for k in others)):
        path = folder / (f"samples_{_file_name(rest)}.png" if rest else "samples.png")
        written += _grid(group, across, down, rest, path, floors(played), svg)
    return written


def over_time(one: Played, path: Path, svg: bool = False) -> list[Path]:
    """Draw the saved points of one cell at up to eight steps, and return the files.

    Raises:
        ValueError: the cell has no saved points.
    """
    kept = one.kept
    if not kept:
        raise ValueError(
            f"{one.cell.directory / 'samples'}: no step_*.npz with points; a run saves them "
            "every trainer.sample_every steps"
        )
    steps = sorted(kept)
    steps = [steps[n] for n in np.unique(np.linspace(0, len(steps) - 1, MOST_STEPS).round().astype(int))]
    values = dict(zip(*(part.tolist() for part in one.measured), strict=True))
    frame = frame_of([one])
    with styled():
        figure, axes = panels(len(steps), min(len(steps), 4), one.cell.name.rpartition("-")[0], SIZE)
        for axis, step in zip(axes, steps, strict=True):
            measured = f"\n{one.name} {number(values[step])}" if step in values else "\n"
            axis.set_title(f"step {step}{measured}")
            _points(axis, one.real, kept[step], frame)
        figure.legend(handles=key(ground=False), loc="outside lower center", ncols=2)
        return save(figure, path, svg)


def _axes(played: Sequence[Played], keys: Sequence[str]) -> tuple[tuple[str | None, str | None], list[str]]:
    """Return the settings of columns and rows (data in columns), and the remaining settings."""
    counts = {key: len({plain(value(one.cell, key)) for one in played}) for key in keys}
    two = sorted(keys, key=lambda key: -counts[key])[:2]
    two.sort(key=lambda key: (key != "data", -counts[key]))
    across, down = [*two, None, None][:2]
    return (across, down), [key for key in keys if key not in two]


def _grid(
    group: Sequence[Played],
    across: str | None,
    down: str | None,
    rest: str,
    path: Path,
    floor: dict[str, float],
    svg: bool,
) -> list[Path]:
    def values(key: str | None) -> list[Any]:
        return [None] if key is None else order([value(one.cell, key) for one in group])

    def at(one: Played, key: str | None) -> Any:
        return None if key is None else value(one.cell, key)

    columns, rows = values(across), values(down)
    places = [(row, column) for row in rows for column in columns]
    wide = len(columns) if down is not None else min(len(columns), IN_A_ROW)
    with styled():
        figure, axes = panels(len(places), wide, rest, SIZE)
        figure.get_layout_engine().set(h_pad=0.08)  # type: ignore[union-attr]
        ground = False
        frames = {key: frame_of(alike) for key, alike in by(group, task)}
        for axis, (row, column) in zip(axes, places, strict=True):
            words = ", ".join(f"{k}={plain(v)}" for k, v in ((down, row), (across, column)) if k is not None)
            here = [one for one in group if (at(one, down), at(one, across)) == (row, column)]
            if not here:
                axis.set_title(f"{words}\nnot in the sweep")
                axis.axis("off")
                continue
            (one,) = here
            axis.set_title("\n".join(filter(None, (words, one.words(floor.get(task(one)))))))
            ground |= draw(axis, one, frames[task(one)])
        figure.legend(handles=key(ground), loc="outside lower center", ncols=2 if wide < 4 else 4)
        return save(figure, path, svg)


def draw(axis: Any, one: Played, frame: tuple[float, float, float, float]) -> bool:
    """Draw the latest points of a cell over the data; return whether the logits could be drawn."""
    ground = _ground(axis, one, frame)
    step, fake = one.newest
    _points(axis, one.real, fake, frame)
    if one.diverged_at is not None and step is not None:
        _note(axis, f"as of step {step}", "bottom")
    return ground


def frame_of(group: Sequence[Played]) -> tuple[float, float, float, float]:
    """Return left, right, bottom and top of a square 1.5 times as wide as the data."""
    real = np.concatenate([one.real for one in group])
    low, high = real.min(0), real.max(0)
    half = 0.75 * max(float((high - low).max()), 0.5)
    x, y = (low + high) / 2
    return x - half, x + half, y - half, y + half


def _ground(axis: Any, one: Played, frame: tuple[float, float, float, float]) -> bool:
    """Draw the logits as shading (darker is higher) and contours; return whether they could be drawn."""
    from matplotlib.colors import LinearSegmentedColormap

    x, y = np.linspace(*frame[:2], FINE), np.linspace(*frame[2:], FINE)
    logits = one.logits(np.stack(np.meshgrid(x, y), -1).reshape(-1, 2))
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


def _points(axis: Any, real: np.ndarray, fake: np.ndarray | None, frame: tuple[float, float, float, float]) -> None:
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


def key(ground: bool) -> list[Any]:
    """Return the legend handles, with or without the discriminator."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    points: dict[str, Any] = {"marker": "o", "markersize": 4, "linestyle": "", "markeredgewidth": 0}
    handles = [
        Line2D([], [], color=GREY, label="data", **points),
        Line2D([], [], color=VERMILION, label="generated", **points),
    ]
    if not ground:
        return handles
    return [
        *handles,
        Patch(facecolor="#cfe3f2", edgecolor="#9dbfd9", label="discriminator logit, darker is higher"),
        Line2D([], [], color=BLUE, linewidth=0.9, label="logit = 0"),
    ]


def _file_name(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "._=,+-" else "-" for letter in text)
