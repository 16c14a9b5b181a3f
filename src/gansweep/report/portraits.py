"""Report section: phase portraits of Dirac-GAN runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gansweep.report.dirac_runs import is_of_two_numbers
from gansweep.report.verdict import Verdict
from gansweep.section import Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION = "Phase portraits: path of the parameters of both players over the gradient vector field of the game"


def section(verdict: Verdict) -> Section | None:
    """Return the section; None if no run has exactly two parameters."""
    if not of_two_numbers(verdict):
        return None
    from gansweep.report.pictures.portraits import MOST

    some = f"The first {MOST} configurations are shown. " if len(verdict.contest.candidates) > MOST else ""
    text = (
        "The generator has one parameter, theta, and the discriminator has one, psi. Training is a path in the "
        f"(theta, psi) plane; the equilibrium is the centre. {some}Arrows show the direction of a plain gradient step "
        "with the run's loss and dynamics; a darker arrow is a longer step. The discriminator is high on real samples; "
        "the figures of Mescheder et al. 2018 use the opposite sign of psi. r is the distance from the equilibrium. "
        "With several seeds, the run with the median value is shown."
    )
    return Section("Phase portraits", text, {CAPTION: lambda: _draw(verdict)}, text_is_about_pictures=True)


def of_two_numbers(verdict: Verdict) -> bool:
    """Return whether some runs have one parameter per player."""
    return any(is_of_two_numbers(result.record) for result in verdict.contest.results)


def _draw(verdict: Verdict) -> Figure:
    from gansweep.report.pictures.portraits import portraits_picture

    return portraits_picture(verdict)
