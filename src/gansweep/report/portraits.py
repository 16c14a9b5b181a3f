"""Trainings of two numbers as paths in their plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gansweep.report.dirac_runs import is_of_two_numbers
from gansweep.report.verdict import Verdict
from gansweep.section import Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION = "Phase portraits: the path of both players' parameters over the field of the game"


def section(verdict: Verdict) -> Section | None:
    """Offer the portraits, None of games of more than two numbers."""
    if not of_two_numbers(verdict):
        return None
    from gansweep.report.pictures.portraits import MOST

    some = f"Shown are the first {MOST} settings. " if len(verdict.contest.candidates) > MOST else ""
    text = (
        "The generator is one number, theta, and the discriminator is one, psi: a training is a path in a plane, and "
        f"it should end in the middle. {some}Arrows point where plain gradient steps by the run's own loss and "
        "dynamics lead, the darker the longer the step. Psi is that of a discriminator which is high on real samples; "
        "the figures of Mescheder et al. 2018 have it with the other sign. r is the distance from the equilibrium. "
        "Of several seeds it is the run of the median value."
    )
    return Section("Phase portraits", text, {CAPTION: lambda: _draw(verdict)})


def of_two_numbers(verdict: Verdict) -> bool:
    """Tell whether some of the games have a number for each player."""
    return any(is_of_two_numbers(result.record) for result in verdict.contest.results)


def _draw(verdict: Verdict) -> Figure:
    from gansweep.report.pictures.portraits import portraits_picture

    return portraits_picture(verdict)
