"""Comparisons of sweeps with the published results of their experiments.

The files share a name: conf/experiment/epfl_table1.yaml is the sweep, papers/epfl_table1.json holds the
printed numbers with their source, and papers/epfl_table1.py has `sections`, which compares the two.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from gansweep.papers.trained import experiments
from gansweep.section import Section


def sections(directory: Path) -> list[Section]:
    """Return the report sections of a sweep of a paper's experiment; empty for other sweeps.

    Args:
        directory: directory of the sweep; its records name the experiment.
    """
    found = []
    for name in experiments(directory):
        module = f"{__name__}.{name}"
        if name.isidentifier() and find_spec(module) is not None:
            written = getattr(import_module(module), "sections", None)
            found += written(directory) if written is not None else []
    return found
