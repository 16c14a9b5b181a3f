"""Comparisons of sweeps with the published results of their experiments.

conf/experiment/NAME.yaml is the sweep; the module of the paper holds the printed numbers with their source, and
compares the two.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from gansweep.papers.runs import grouped, read
from gansweep.section import Section
from gansweep.sweep.cell import Cell

# Module and function that write the sections of an experiment, or of the experiments of a folder.
SECTIONS = {
    "cfg_vs_wgangp": ("cfg", "sections"),
    "coopnets_table1": ("coopnets", "table_sections"),
    "coopnets_transfer": ("coopnets", "transfer_sections"),
    "dirac": ("mescheder", "dirac_sections"),
    "epfl_quirks": ("epfl_quirks", "sections"),
    "epfl_table1": ("epfl", "sections"),
    "forsyth_autoencoder": ("forsyth", "autoencoder_sections"),
    "forsyth_quadratic": ("forsyth", "quadratic_sections"),
    "mescheder_2d": ("mescheder", "plane_sections"),
    "mescheder_images": ("mescheder", "image_sections"),
    "mescheder_toy": ("mescheder", "toy_sections"),
}


def is_of_a_paper(cell: Cell) -> bool:
    """Return whether a cell belongs to an experiment with sections."""
    return str(cell.overrides.get("experiment", "")).partition("/")[0] in SECTIONS


def sections(directory: Path) -> list[Section]:
    """Return the report sections of a sweep of a paper's experiment; empty for other sweeps.

    Args:
        directory: directory of the sweep; its records name the experiment.
    """
    written = []
    for experiment, runs in grouped(read(directory), lambda run: run.experiment).items():
        if experiment in SECTIONS:
            module, function = SECTIONS[experiment]
            written += getattr(import_module(f"{__name__}.{module}"), function)(runs)
    return written
