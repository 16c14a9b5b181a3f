"""What papers printed, beside what a sweep of their experiment has found.

One path tells the others: conf/experiment/epfl_table1.yaml is the sweep, papers/epfl_table1.json holds the
printed numbers with their source, and papers/epfl_table1.py has `sections`, which puts both side by side.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from gansweep.papers.trained import experiments
from gansweep.section import Section


def sections(directory: Path) -> list[Section]:
    """Write what is to be said about a sweep of the experiment of a paper; nothing about another one.

    Args:
        directory: of the sweep. Its records say which experiment they are of.
    """
    found = []
    for name in experiments(directory):
        module = f"{__name__}.{name}"
        if name.isidentifier() and find_spec(module) is not None:
            written = getattr(import_module(module), "sections", None)
            found += written(directory) if written is not None else []
    return found
