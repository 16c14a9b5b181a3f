"""State of the cells of a sweep, from its files: gansweep status outputs/mine [--json]."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

from gansweep.console import command_name, exit_code, path, say
from gansweep.sweep.cell import Result, State
from gansweep.sweep.progress import RunningProcess, read_progress
from gansweep.sweep.sweep import Sweep, existing
from gansweep.training import checkpoint_step
from gansweep.watch import text

FORMAT = 1  # of the JSON
FAILED, RUNNING, STOPPED = 1, 3, 4  # exit codes of --exit-code


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the state of a sweep and return the exit code."""
    options = _parser().parse_args(arguments)
    return exit_code(lambda: _status(options))


def _status(options: argparse.Namespace) -> int:
    root = options.sweep
    sweep, processes = existing(root), read_progress(root)
    results = sweep.results
    state = state_of(results, processes)
    if options.json:
        say(json.dumps(status(sweep, results, processes), indent=1, default=str))
    else:
        say(text(sweep, results, processes))
    codes = {"running": RUNNING, "stopped": STOPPED, "failed": FAILED}
    return codes.get(state, 0) if options.exit_code else 0


def state_of(results: Sequence[Result], processes: Sequence[RunningProcess]) -> str:
    """Return the state of a sweep: done, failed, running or stopped.

    failed: all cells have ended, and some with an error. running: cells are left, and a process trains some of them.
    stopped: cells are left, and none is trained.
    """
    states = {result.state for result in results}
    if states <= {State.COMPLETED, State.DIVERGED, State.DROPPED, State.FAILED}:
        return "failed" if State.FAILED in states else "done"
    return "running" if processes or State.CLAIMED in states else "stopped"


def status(sweep: Sweep, results: Sequence[Result], processes: Sequence[RunningProcess]) -> dict[str, Any]:
    """Return the state of a sweep in JSON types.

    Args:
        sweep: the sweep.
        results: current results of its cells.
        processes: the reports of its processes.
    """
    counts = Counter(result.state for result in results)
    steps = {name: at for process in processes for name, (at, _) in process.running.items()}
    return {
        "format": FORMAT,
        "sweep": str(sweep.root),
        "state": state_of(results, processes),
        "counts": {state.value: counts[state] for state in State if counts[state]},
        "commands": sweep.commands,
        "processes": [
            {
                "host": process.host,
                "pid": process.pid,
                "steps_per_s": process.steps_per_s,
                "reported_s_ago": process.age_s,
                "cells": list(process.running),
            }
            for process in processes
        ],
        "cells": [_cell(result, steps) for result in results],
    }


def _cell(result: Result, steps: dict[str, int]) -> dict[str, Any]:
    """Return one cell in JSON types.

    Args:
        result: the cell in its current state.
        steps: steps of the running cells, by name.
    """
    step = (result.record or {}).get("steps") if result.record else steps.get(result.cell.name)
    if step is None and result.state is not State.NEW:
        step = checkpoint_step.read(result.cell.directory)
    return {
        "cell": result.cell.name,
        "hash": result.cell.hash,
        "state": result.state.value,
        "step": step,
        "steps": result.cell.config.get("steps"),
        "metric": result.metric.get("name"),
        "final": result.final,
        "best": result.metric.get("best"),
        "untrained": result.untrained,
        "trouble": result.trouble or None,
        "overrides": result.cell.overrides,
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        command_name("status"),
        description="Print the state of a sweep from its files. The states of its cells are new, resumable, claimed "
        "(a process trains it), completed, diverged, dropped (by a race) and failed.",
        epilog="With --exit-code: 0 all cells have a result, 1 all have ended and some failed, 3 a process trains the "
        "sweep, 4 cells are left and no process trains them. Always 2 for wrong input.",
    )
    parser.add_argument("sweep", type=path, help="directory of a sweep, for example outputs/mine")
    parser.add_argument("--json", action="store_true", help="print JSON with every cell, see docs/for_agents.md")
    parser.add_argument("--exit-code", action="store_true", help="exit with a code that depends on the state")
    return parser


if __name__ == "__main__":
    sys.exit(main())
