"""State of a sweep that runs elsewhere, from its files: python -m gansweep.watch outputs/mine."""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from gansweep.console import command_name, exit_code, path, say
from gansweep.formatting import metric_label, number, shortened
from gansweep.statistics.improvement import no_better_than_untrained
from gansweep.sweep.cell import Result, State, cells
from gansweep.sweep.progress import EVALUATING, LEAST_LEFT_S, RunningProcess, duration, read_progress
from gansweep.sweep.sweep import Sweep, existing

LONGEST_NAME = 60
CLEAR = "\x1b[H\x1b[J"  # cursor home, then clear the terminal to its end


def main(arguments: Sequence[str] | None = None) -> int:
    """Show the state while a process trains cells, and return the exit code."""
    options = _parser().parse_args(arguments)
    return exit_code(lambda: _watch(options.sweep, options.once, options.every))


def _watch(root: Path, once: bool, every_s: float) -> None:
    if not 0 < every_s < math.inf:
        raise ValueError(f"--every {every_s:g}: expected seconds above 0")
    live = sys.stdout.isatty() and not once
    while True:
        sweep, processes = existing(root), read_progress(root)
        results, damage = sweep.results, sweep.damage
        note = f"\n{damage}; cells without a record are not shown" if damage else ""
        say((CLEAR if live else "") + text(sweep, results, processes) + note)
        held = any(result.state is State.CLAIMED for result in results)
        if once or not (processes or held):
            return
        time.sleep(every_s)


def text(sweep: Sweep, results: Sequence[Result], processes: Sequence[RunningProcess]) -> str:
    """Return the counts of all cells, the best value so far, and one line for each process.

    Args:
        sweep: the sweep.
        results: current results of its cells.
        processes: the reports of its processes.
    """
    running = {name for one in processes for name in one.running}
    states = ["running" if r.cell.name in running and not r.state.is_result else _word(r.state) for r in results]
    counts = ", ".join(f"{count} {word}" for word, count in Counter(states).most_common())
    lines = [f"{sweep.root}: {cells(len(results))}: {counts}{_left(results, processes)}"]
    lines += [_best(results)] if _best(results) else []
    lines += [_process(one) for one in processes]
    if not processes and {"waiting", State.RESUMABLE.value} & set(states):
        again = "\n  ".join(sweep.commands) or "the same command as before"
        lines.append(f"No process reports its progress. To continue: {again}")
    return "\n".join(lines)


def _word(state: State) -> str:
    return {State.NEW: "waiting", State.CLAIMED: "running"}.get(state, state.value)


def _process(one: RunningProcess) -> str:
    """Return the line of a process: its cells with their steps, and its speed."""
    steps = sorted(one.running.items(), key=lambda item: -item[1][0])
    shown = ", ".join(f"{shortened(name, LONGEST_NAME)} step {at} of {of}" for name, (at, of) in steps[:2])
    more = f" and {len(steps) - 2} more" if len(steps) > 2 else ""
    speed = f", {one.steps_per_s:.3g} steps/s" if one.steps_per_s else ""
    return f"{one.host} {one.pid}: {cells(len(steps))}{speed}: {shown}{more}"


def _best(results: Sequence[Result]) -> str:
    """Return the best final value so far; empty without one, or if cells were measured by different metrics."""
    done = [result for result in results if result.final is not None]
    if not done or len({str(result.metric.get("fingerprint")) for result in done}) > 1:
        return ""
    lower = done[0].lower_is_better
    better = [result for result in done if not no_better_than_untrained([(result.final, result.untrained)], lower)]
    if not better:
        return "no cell is better than the untrained generator so far"
    best = min(better, key=lambda result: (1 if lower else -1) * (result.final or 0.0))
    return f"best so far: {metric_label(str(best.metric.get('name')))} {number(best.final or 0.0)}, {best.cell.name}"


def _left(results: Sequence[Result], processes: Sequence[RunningProcess]) -> str:
    """Return the remaining time at the current speed of all processes; empty if it is unknown."""
    speed = sum(one.steps_per_s for one in processes)
    at = {name: step for one in processes for name, (step, _) in one.running.items()}
    open_cells = [r.cell for r in results if not r.state.is_result and r.state not in (State.DROPPED, State.FAILED)]
    steps = sum(int(cell.config.get("steps") or 0) - at.get(cell.name, 0) for cell in open_cells)
    if not (speed > 0 and steps > 0):
        return ""
    return f"; {EVALUATING}" if steps / speed < LEAST_LEFT_S else f"; about {duration(steps / speed)} left"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        command_name("watch"),
        description="Show the state of a sweep that runs in another terminal or on other machines, from its files.",
    )
    parser.add_argument("sweep", type=path, help="directory of a sweep, for example outputs/mine")
    parser.add_argument("--once", action="store_true", help="show the state once")
    parser.add_argument(
        "--every", type=float, default=5.0, metavar="SECONDS", help="time between two reads (default: 5)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
