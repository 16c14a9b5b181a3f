"""Phase portraits of Dirac-GAN runs: paths of (theta, psi) over the gradient vector field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gansweep.dirac.pictures import draw_field, draw_path, frame, key
from gansweep.plot_style import panels, styled
from gansweep.report.dirac_runs import TwoNumbers, is_of_two_numbers
from gansweep.report.pictures import marks
from gansweep.report.pictures.samples import median_run
from gansweep.report.verdict import Verdict
from gansweep.results.leaderboard import Candidate
from gansweep.sweep.identity import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 20
FARTHEST = 2.5  # a panel extends to at most this factor times the largest start coordinate


def portraits_picture(verdict: Verdict) -> Figure:
    """Draw one panel per configuration, the first twenty in grid order, all with the same axis limits."""
    shown = played(verdict)[:MOST]
    paths = [one.positions for _, one in shown]
    edge, spacings = extent(paths), {one.spacing for _, one in shown}
    columns = marks.columns(len(shown))
    with styled():
        figure, axes = panels(len(shown), columns, "", (2.4, 2.6))
        for n, (axis, (candidate, one), positions) in enumerate(zip(axes, shown, paths, strict=True)):
            if one.field is not None:
                draw_field(axis, one.field, edge)
            else:
                frame(axis, edge)
            draw_path(axis, positions)
            axis.set_title(f"{_words(candidate)}\n{_end(one, positions)}", fontsize=8)
            axis.locator_params(nbins=5)
            axis.set(
                xlabel="$\\theta$ (generator)" if n + columns >= len(shown) else "",
                ylabel="$\\psi$ (discriminator)" if n % columns == 0 else "",
            )
        figure.legend(handles=key(_dots(spacings)), loc="outside lower center", ncols=4 if columns > 2 else 2)
    return figure


def played(verdict: Verdict) -> list[tuple[Candidate, TwoNumbers]]:
    """Return the configurations with a recorded path, each with its run of median value."""
    found = []
    for place, one in enumerate(verdict.contest.candidates):
        seed = median_run(verdict, place) if verdict.scores[place] else next(iter(one.runs))
        if is_of_two_numbers(one.runs[seed].record):
            found.append((one, TwoNumbers(one.runs[seed])))
    return found


def extent(paths: list[np.ndarray]) -> float:
    """Return the half width of the square that contains all paths, limited to `FARTHEST` times the largest start."""
    starts = max((float(np.abs(path[0]).max()) for path in paths if len(path)), default=1.0) or 1.0
    reached = max((float(np.abs(path).max()) for path in paths if len(path)), default=1.0)
    return 1.1 * min(max(reached, starts), FARTHEST * starts)


def _dots(spacings: set[int]) -> str:
    if len(spacings) > 1:
        return "path"
    (steps,) = spacings
    return "path, one dot per step" if steps == 1 else f"path, one dot every {steps} steps"


def _words(one: Candidate) -> str:
    """Return the name of a configuration; text values are shown without their keys."""
    parts = (plain(v) if isinstance(v, str) else f"{key}={plain(v)}" for key, v in one.settings.items())
    return ", ".join(parts) or one.name


def _end(one: TwoNumbers, positions: np.ndarray) -> str:
    divergence = (one.result.record or {}).get("divergence")
    if divergence:
        return f"diverged at step {divergence['step']}"
    return f"r = {np.hypot(*positions[-1]):.2g} at the end" if len(positions) else ""
