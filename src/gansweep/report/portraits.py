"""Report section: phase portraits of Dirac-GAN runs, paths of (theta, psi) over the gradient vector field."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from gansweep.plot_style import num_columns, panels, styled
from gansweep.report.dirac_runs import TwoNumbers, is_of_two_numbers
from gansweep.report.verdict import Verdict
from gansweep.results.leaderboard import Candidate
from gansweep.section import Paragraph, Picture, Section
from gansweep.sweep.identity import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION = "Phase portraits: path of the parameters of both players over the gradient vector field of the game"
MOST = 20
FARTHEST = 2.5  # a panel extends to at most this factor times the largest start coordinate


def section(verdict: Verdict) -> Section | None:
    """Return the section; None if no run has exactly two parameters."""
    if not of_two_numbers(verdict):
        return None
    some = f"The first {MOST} configurations are shown. " if len(verdict.contest.candidates) > MOST else ""
    text = (
        "The generator has one parameter, theta, and the discriminator has one, psi. Training is a path in the "
        f"(theta, psi) plane; the equilibrium is the centre. {some}Arrows show the direction of a plain gradient step "
        "with the run's loss and dynamics; a darker arrow is a longer step. The discriminator is high on real samples; "
        "the figures of Mescheder et al. 2018 use the opposite sign of psi. r is the distance from the equilibrium. "
        "With several seeds, the run with the median value is shown."
    )
    picture = Picture(CAPTION, partial(portraits_picture, verdict))
    return Section("Phase portraits", [Paragraph(text), picture], needs_pictures=True)


def of_two_numbers(verdict: Verdict) -> bool:
    """Return whether some runs have one parameter per player."""
    return any(is_of_two_numbers(result.record) for result in verdict.contest.results)


def portraits_picture(verdict: Verdict) -> Figure:
    """Draw one panel per configuration, the first twenty in grid order, all with the same axis limits."""
    from gansweep.dirac.pictures import draw_field, draw_path, frame, key

    shown = shown_runs(verdict)[:MOST]
    paths = [run.positions for _, run in shown]
    edge, columns = extent(paths), num_columns(len(shown))
    with styled():
        figure, axes = panels(len(shown), columns, "", (2.4, 2.6))
        for n, (axis, (candidate, run), positions) in enumerate(zip(axes, shown, paths, strict=True)):
            if run.field is not None:
                draw_field(axis, run.field, edge)
            else:
                frame(axis, edge)
            draw_path(axis, positions)
            axis.set_title(f"{_name(candidate)}\n{_end(run, positions)}", fontsize=8)
            axis.locator_params(nbins=5)
            axis.set(
                xlabel="$\\theta$ (generator)" if n + columns >= len(shown) else "",
                ylabel="$\\psi$ (discriminator)" if n % columns == 0 else "",
            )
        dots = _dots({run.spacing for _, run in shown})
        figure.legend(handles=key(dots), loc="outside lower center", ncols=4 if columns > 2 else 2)
    return figure


def shown_runs(verdict: Verdict) -> list[tuple[Candidate, TwoNumbers]]:
    """Return the configurations with a recorded path, each with its run of median value."""
    shown = []
    for place, candidate in enumerate(verdict.contest.candidates):
        seed = verdict.median_run(place) if verdict.scores[place] else next(iter(candidate.runs))
        if is_of_two_numbers(candidate.runs[seed].record):
            shown.append((candidate, TwoNumbers(candidate.runs[seed])))
    return shown


def extent(paths: Sequence[np.ndarray]) -> float:
    """Return the half width of the square that contains all paths, limited to `FARTHEST` times the largest start."""
    starts = max((float(np.abs(path[0]).max()) for path in paths if len(path)), default=1.0) or 1.0
    reached = max((float(np.abs(path).max()) for path in paths if len(path)), default=1.0)
    return 1.1 * min(max(reached, starts), FARTHEST * starts)


def _dots(spacings: set[int]) -> str:
    if len(spacings) > 1:
        return "path"
    (steps,) = spacings
    return "path, one dot per step" if steps == 1 else f"path, one dot every {steps} steps"


def _name(candidate: Candidate) -> str:
    """Return the name of a configuration; text values are shown without their keys."""
    parts = (plain(v) if isinstance(v, str) else f"{key}={plain(v)}" for key, v in candidate.settings.items())
    return ", ".join(parts) or candidate.name


def _end(run: TwoNumbers, positions: np.ndarray) -> str:
    divergence = (run.result.record or {}).get("divergence")
    if divergence:
        return f"diverged at step {divergence['step']}"
    return f"r = {np.hypot(*positions[-1]):.2g} at the end" if len(positions) else ""
