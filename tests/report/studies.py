"""Studies of made-up results for the tests."""

from __future__ import annotations

from pathlib import Path

from tests.sweep.fake_cells import cell, diverged, record

from gansweep.report.study import Study
from gansweep.report.verdict import Verdict
from gansweep.results.leaderboard import leaderboards
from gansweep.sweep.cell import Result, State
from gansweep.sweep.run_state import failed_record

HERE = Path()


def study(root, finals, commands=()):
    """Cells of a mapping from overrides to what they came to: a number, None for a divergence, or a state."""
    results = []
    for overrides, final in finals:
        one = cell(root, **overrides)
        if isinstance(final, State):
            content = failed_record(one, ValueError("no")) if final is State.FAILED else None
            results.append(Result(one, final, content))
        elif final is None:
            results.append(Result(one, State.DIVERGED, diverged(one)))
        else:
            results.append(Result(one, State.COMPLETED, record(one, final)))
    return Study((root,), tuple(results), tuple(commands))


def by_lr(root, finals):
    return study(root, [({"lr": lr, "seed": s}, v) for lr, values in finals.items() for s, v in enumerate(values)])


def verdict(of, **how):
    (leaderboard,) = leaderboards(of.results, **how)
    return Verdict(leaderboard)


def texts(grid):
    return [list(grid.head), *([entry.text for entry in row] for row in grid.rows)]
