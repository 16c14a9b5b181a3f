"""Sweep: stores the configs of its cells and trains missing cells."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from gansweep.sweep import cell_lock, process, sweep_directory, tensorboard_layout, worker_pool
from gansweep.sweep.branching import beginnings, remove_branch_points
from gansweep.sweep.cell import Cell, Result, own_record, read_result
from gansweep.sweep.cell import cells as count_of
from gansweep.sweep.plan import Estimate, Plan, kept_weights_size, planned_cells
from gansweep.sweep.progress import Progress
from gansweep.sweep.run_state import Executor, Outcome, RunState, rename_misplaced
from gansweep.sweep.sweep_directory import FROZEN
from gansweep.sweep.worker import Start, fork
from gansweep.training import atomic, record

log = logging.getLogger(__name__)

FORMAT = 1
EXPECTED = "expected the directory of a sweep, for example outputs/mine"
WAIT_S, FREEZING_S = 1.0, 0.1


class Sweep:
    """The cells of a grid in one directory, together with cells of earlier grids in the same directory.

    Args:
        root: directory of the sweep.
        cells: cells of this grid. Duplicate runs are removed and listed in `notices`. A cell that exists under another
            name keeps its directory. Use the attribute `cells` for the result.
        command: the command line. The table lists all command lines of the sweep.

    `note` is a text for the table about the selection of the cells; it is stored with the sweep. `bound` is another
    one, on the cells that the last command has left out; None: the stored one. `code_changes` lists code that was
    edited since earlier cells were trained. `damage` describes why sweep.json can't be read, empty if it can.
    """

    def __init__(self, root: Path, cells: Sequence[Cell], command: str = "") -> None:
        self.root, self.command = root, command
        self.note = ""
        self.bound: str | None = None
        self.notices: list[str] = []
        self._read_directory()
        kept: dict[str, Cell] = {}
        for cell in cells:
            if cell.hash in kept:
                self.notices.append(f"{cell.name} is the same training as {kept[cell.hash].name}; it runs once")
                continue
            kept[cell.hash] = cell
        self.cells: tuple[Cell, ...] = tuple(kept.values())
        self.code_changes = sweep_directory.code_changes(self.cells, self.earlier)
        self._keep_directories()

    def _read_directory(self) -> None:
        """Read existing cells, command lines and the note from the directory."""
        earlier, commands, note, self._earlier_code, self._earlier_bound, self.damage = sweep_directory.read(self.root)
        self.note = self.note or note
        self.earlier = {cell.hash: cell for cell in earlier}
        self.commands = list(dict.fromkeys(filter(None, [*commands, self.command])))

    def _keep_directories(self) -> None:
        """Set the directories of existing cells."""
        existing = self.earlier
        self.cells = tuple(
            replace(cell, directory=existing[cell.hash].directory) if cell.hash in existing else cell
            for cell in self.cells
        )

    @property
    def all_cells(self) -> list[Cell]:
        """Earlier cells in their order, then new cells of this grid."""
        return list((self.earlier | {cell.hash: cell for cell in self.cells}).values())

    @property
    def code(self) -> dict[str, str]:
        """Current hashes of edited or own modules, by name: of this grid, or of the last grid that used them."""
        return self._earlier_code | {
            name: version for cell in self.cells for name, version in (cell.identity.get("code") or {}).items()
        }

    @property
    def selection(self) -> list[str]:
        """The texts about the selection of the cells."""
        return [text for text in (self.note, self._bound) if text]

    @property
    def _bound(self) -> str:
        return self._earlier_bound if self.bound is None else self.bound

    @property
    def results(self) -> list[Result]:
        """Current results of all cells."""
        return [read_result(cell) for cell in self.all_cells]

    def freeze(self) -> None:
        """Write sweep.json, with every cell and its resolved config.

        Cells that another process has added since `__init__` are read again and keep their names. The directory is
        locked, so concurrent calls are serialised.

        Raises:
            OSError: the directory can't be written.
        """
        while (claim := cell_lock.Claim.acquire(self.root)) is None:
            time.sleep(FREEZING_S)
        try:
            self._read_directory()
            self._keep_directories()
            self._write()
        finally:
            claim.release(finished=True)

    def _write(self) -> None:
        content = {
            "format": FORMAT,
            "commands": self.commands,
            **({"note": self.note} if self.note else {}),
            **({"bound": self._bound} if self._bound else {}),
            "versions": record.versions(),
            **({"code": self.code} if self.code else {}),
            "cells": [cell.as_dict() for cell in self.all_cells],
        }
        rename_misplaced(self.root / FROZEN, (self.root / FROZEN).is_file())
        atomic.write(self.root / FROZEN, json.dumps(content, indent=1, default=str) + "\n")
        tensorboard_layout.write(self.root, self.all_cells)

    def plan(
        self,
        retry_failed: bool = True,
        estimate: Callable[[Cell], Estimate | None] | None = None,
    ) -> Plan:
        """Return what `run` would do. Nothing is written.

        Args:
            retry_failed: as in `run`.
            estimate: returns time and memory of a cell; None: use finished cells only.
        """
        continuations, branches = beginnings(self.root, self.cells)
        steps = continuations.steps | branches.steps
        planned = planned_cells(list(map(read_result, self.cells)), retry_failed, estimate, steps, branches.of)
        weights = [*kept_weights_size(self.cells), *sweep_directory.without_kept_weights(self.cells)]
        return Plan(self.root, planned, [*continuations.lines, *weights, *self.code_changes])

    def notes(self) -> list[str]:
        """Return one line about each cell or group of cells that is not trained as one may expect."""
        continuations, branches = beginnings(self.root, self.cells)
        lines = [*continuations.lines, *branches.lines]
        return [*self.notices, *self.code_changes, *lines, *sweep_directory.without_kept_weights(self.cells)]

    def run(
        self,
        executor: Executor,
        *,
        retry_failed: bool = True,
        failed: Mapping[str, dict[str, Any]] | None = None,
        stop: Callable[[], bool] = lambda: False,
        progress: Progress | None = None,
        wait: bool = True,
        workers: int = 1,
        start: Start | None = None,
    ) -> Outcome:
        """Train every cell that has no result.

        A cell that raises an exception is recorded as failed, and the others are trained. Cells locked by another live
        process are skipped. Cells whose process died are trained last, in smaller and smaller packs. A cell whose
        process died repeatedly while training only this cell is recorded as failed, if it was a worker of this process.

        Args:
            executor: trains cells; see `executor.in_packs`.
            retry_failed: train cells again that failed before this call.
            failed: failed records to retry; None: those at the time of this call. With several processes, those at the
                time when the first one started. See `failed`.
            stop: returns True if a stop was requested.
            progress: progress display.
            wait: wait until the cells of other processes are finished; cells of processes that die are trained here.
            workers: number of processes; 1: train in this process.
            start: starts a worker process; also a single one, if a process died before. None: `worker.fork`, only if
                there are several.
        """
        progress = progress or Progress(len(self.cells))
        run_state = RunState(stop, progress)
        if retry_failed:
            run_state.to_retry = dict(self.failed() if failed is None else failed)
        try:
            self._train_twice(run_state, executor, workers, start, wait)
        finally:
            progress.close()
        run_state.outcome.interrupted |= stop()
        run_state.outcome.missing = [cell for cell in self.cells if cell.hash not in run_state.outcome.records]
        if not run_state.outcome.missing:
            process.remove_trial_markers(self.root)
            remove_branch_points(self.cells, run_state.outcome.records)
        return run_state.outcome

    def _train_twice(
        self, run_state: RunState, executor: Executor, workers: int, start: Start | None, wait: bool
    ) -> None:
        """Train all cells but those whose process died, then those; arguments as in `run`."""
        train = partial(self._train_until_done, executor=executor, wait=wait)
        # One worker means this process, unless a cell may have caused the death of another process.
        separate = workers > 1 or (
            start is not None and any(cell_lock.crash_history(cell.directory) for cell in self.cells)
        )
        for crashed in (False, True):
            if run_state.outcome.device_failed:
                return
            cells = _crashed_cells(self.cells, run_state, wait) if crashed else self.cells
            if separate:
                num_workers = 1 if crashed else workers
                worker_pool.train(cells, run_state, partial(train, crashed=crashed), num_workers, start or fork)
            else:
                train(run_state, cells, crashed=crashed, log_wait=True)

    def failed(self) -> dict[str, dict[str, Any]]:
        """Return the records of the cells that have failed, by hash."""
        return {c.hash: r for c in self.cells if (r := own_record(c)) and r["state"] == "failed"}

    def outcome(self, failed: Mapping[str, dict[str, Any]]) -> Outcome:
        """Return the outcome of cells trained by other processes; records in `failed` are ignored as outdated."""
        contents = {cell.hash: own_record(cell) for cell in self.cells}
        new = {
            hash_: content
            for hash_, content in contents.items()
            if content is not None and content != failed.get(hash_)
        }
        return Outcome(new, [cell for cell in self.cells if cell.hash not in new])

    def _train_until_done(
        self,
        run_state: RunState,
        cells: Sequence[Cell],
        *,
        executor: Executor,
        wait: bool,
        crashed: bool,
        log_wait: bool = False,
    ) -> None:
        """Train cells until none are left; without `crashed`, skip cells whose process died."""
        left, run_state.crashed = [*cells], crashed
        while left and not run_state.outcome.interrupted:
            now = [cell for cell in left if crashed or cell_lock.crash_history(cell.directory) is None]
            if not now:
                break
            left = executor(run_state, now)
            if not left or not wait or run_state.outcome.interrupted:
                break
            if log_wait:
                log.info("%s locked by another process; waiting for it", count_of(len(left)))
                log_wait = False
            _pause(run_state.stop)


def existing(root: Path) -> Sweep:
    """Return the sweep in a directory.

    Raises:
        ValueError: there is no such directory, or it contains no cells.
    """
    if not root.is_dir():
        raise ValueError(f"{root}: no such directory, {EXPECTED}")
    sweep = Sweep(root, [])
    if not sweep.all_cells:
        because = f" with a record, and {sweep.damage}" if sweep.damage else ""
        raise ValueError(f"{root}: contains no cells{because}, {EXPECTED}")
    return sweep


def _crashed_cells(cells: Sequence[Cell], run_state: RunState, wait: bool) -> list[Cell]:
    """Return the cells whose process died, the least crashes first, and log their names.

    With `wait`, also those that another process took over during the first pass: they have neither a result nor a
    crash history.
    """
    unfinished = [
        (cell, cell_lock.crash_history(cell.directory))
        for cell in cells
        if cell.hash not in run_state.outcome.records and not run_state.is_done(cell)
    ]
    crashed = [(cell, crash_history) for cell, crash_history in unfinished if crash_history is not None]
    crashed.sort(key=lambda pair: (-pair[1].limit, len(pair[1].deaths)))
    names = ", ".join(cell.name for cell, _ in crashed)
    if crashed and not run_state.outcome.interrupted:
        log.warning("The process that trained these died; they are trained last, in smaller packs or alone: %s", names)
    taken_over = [cell for cell, crash_history in unfinished if crash_history is None and wait]
    return [*(cell for cell, _ in crashed), *taken_over]


def _pause(stop: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until and not stop():
        time.sleep(min(0.1, WAIT_S))
