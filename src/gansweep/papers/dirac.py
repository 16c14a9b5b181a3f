"""Mescheder et al. 2018, table 1, compared with trained Dirac-GANs."""

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
    """Return a section for every run length in a sweep."""
    return [
        Section(f"Which methods converge on the Dirac-GAN, {steps} steps", _text(cells))
        for (_, _, steps), cells in groups_of(read_all(directory, NAME)).items()
    ]


def arrived(one: Trained) -> bool:
    """Return whether |theta| fell below `SHRUNK` times its start, the criterion of `gansweep.dirac.convergence`."""
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
        words = ["yes" if converges else "no" for converges in (field.converges.general, found)]
        agrees = "yes" if field.converges.general == found else "no"
        lines.append(f"| {field.label} | {' | '.join(words)} | {ends} | {agrees} |")
    return (
        "\n".join(lines)
        + "\n\nPrinted: table 1, column of general distributions, which include this toy problem. Trained: |theta| "
        f"falls below {SHRUNK:g} times its start at every rate. Instance noise is resampled at every step, "
        "so theta fluctuates around 0; it converges in expectation. "
        "Eigenvalues, other algorithms and the column of absolutely continuous distributions: "
        "`python -m gansweep.dirac convergence`."
    )
