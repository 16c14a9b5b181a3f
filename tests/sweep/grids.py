"""Small grids of cells, and the states of a sweep."""

from __future__ import annotations

import io

from fake_cells import cell

from gansweep.sweep.cell import state
from gansweep.sweep.progress import Progress

QUIET = {"progress": Progress(0, io.StringIO()), "wait": False}


def grid(root, *optimizers, **more):
    return [cell(root, optimizer=name, **more) for name in optimizers]


def states(cells):
    return [state(one).value for one in cells]
