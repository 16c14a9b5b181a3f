"""Mescheder et al. 2018, table 1, beside the Dirac-GAN as it was trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gansweep.dirac.convergence import ROWS, SHRUNK
from gansweep.papers.methods import by_method, groups_of
from gansweep.papers.trained import Trained, read_all
from gansweep.section import Section

NAME = "dirac"
# The experiments of conf/experiment/dirac, in the order of the table.
METHODS = ("gan", "wgan", "wgan_gp", "dragan", "instance_noise", "consensus", "roth", "r1", "r2")


def sections(directory: Path) -> list[Section]:
    """Write a section for every length in a sweep."""
    return [
        Section(f"Which methods converge on the Dirac-GAN, {steps} steps", _text(cells))
        for (_, _, steps), cells in groups_of(read_all(directory, NAME)).items()
    ]


def arrived(one: Trained) -> bool:
    """Tell whether |theta| has shrunk as far as `gansweep.dirac.convergence` asks of an arrival."""
    return one.final is not None and one.final < SHRUNK * one.metric["untrained"]


def _text(cells: Sequence[Trained]) -> str:
    groups = by_method(cells)
    lines = ["| method | converges, printed | trained | distance from 0, by rate | agrees |", "|---|---|---|---|---|"]
    for method, (field, _) in zip(METHODS, ROWS, strict=True):
        if method not in groups or field.converges is None:
            continue
        group = sorted(groups[method], key=lambda one: one.lr)
        found = all(arrived(one) for one in group)
        ends = ", ".join(f"{one.lr:g}: {'N/A' if one.final is None else format(one.final, '.2g')}" for one in group)
        words = ["yes" if said else "no" for said in (field.converges.general, found)]
        agrees = "yes" if field.converges.general == found else "no"
        lines.append(f"| {field.label} | {' | '.join(words)} | {ends} | {agrees} |")
    return (
        "\n".join(lines)
        + "\n\nPrinted: table 1, the column of general distributions, of which this toy is one. Trained: |theta| "
        f"falls below {SHRUNK:g} of its start at every rate. Instance noise is drawn anew in every step "
        "of a training, and theta comes as near as that lets it; in expectation it arrives. "
        "Eigenvalues, other algorithms and the column of absolutely continuous distributions: "
        "`python -m gansweep.dirac convergence`."
    )
