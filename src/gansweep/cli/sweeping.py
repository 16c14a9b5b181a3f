"""Multirun: check a grid, train its cells and print the table."""

from __future__ import annotations

import logging
import os
import shlex
import time
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.utils import configure_log
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig, OmegaConf

from gansweep.cli import backends, grid
from gansweep.cli.backends import HERE
from gansweep.cli.cell_log import name_cells
from gansweep.cli.compose import Composer
from gansweep.cli.folders import sweep_dir
from gansweep.cli.hydra_settings import check_hydra_settings
from gansweep.cli.job import Jobs
from gansweep.cli.search_points import search_note
from gansweep.config.errors import SettingError
from gansweep.console import say
from gansweep.sweep.bounds import Bounds, TimeLimit
from gansweep.sweep.branching import beginnings
from gansweep.sweep.cell import Cell, State, cells, state
from gansweep.sweep.identity import plain
from gansweep.sweep.progress import Progress, ProgressFile
from gansweep.sweep.run_state import rename_misplaced
from gansweep.sweep.sweep import Outcome, Sweep
from gansweep.sweep.sweep_directory import set_aside
from gansweep.terminal_layout import for_terminal
from gansweep.training.interruption import Stop

log = logging.getLogger(__name__)


def composer_of(loader: ConfigLoader, master: DictConfig) -> Composer:
    """Return the composer of the jobs of a command line whose configuration is `master`."""
    return Composer(lambda overrides: loader.load_sweep_config(master, overrides), loader)


class Multirun:
    """Checked grid of cells, with methods to plan, train and report it.

    Args:
        loader: Hydra's config loader.
        master: configuration of the command line without the swept overrides.
        jobs: overrides of every job.
        vary: keys that later jobs vary.
        here: True for gansweep's own launcher, False for another Hydra launcher.
        started: start of the command, in seconds since the epoch; default: now.
        searched: keys that the command line gives as intervals.
        composer: composes the jobs; the grids of one command share it. Default: a new one.

    Raises:
        BadConfig: a job is not valid; nothing has been written.
    """

    def __init__(
        self,
        loader: ConfigLoader,
        master: DictConfig,
        jobs: Sequence[Sequence[str]],
        vary: Sequence[str] = (),
        *,
        here: bool,
        started: float | None = None,
        searched: Collection[str] = (),
        composer: Composer | None = None,
    ) -> None:
        self.master, self.jobs = master, jobs
        self.command, self.command_to_continue = command(loader), command(loader, continues=True)
        self.configure_logging()
        check_hydra_settings(master, here)
        self.backend = backends.chosen(master)
        is_local, here = here, here and self.backend["backend"] == HERE
        self.root = sweep_dir(master)
        composer = composer or composer_of(loader, master)
        self.cells, self.compositions = grid.compose(composer, jobs, self.root, here=here, vary=vary)
        self.swept = grid.swept_keys(jobs)
        self.config = self.cells[0].config
        self.limits: Mapping[str, Mapping[int, float]] = {}  # of a race, by hash of the cell
        hours = self.config["hours"]
        if hours is not None and not is_local:
            raise SettingError("hours", plain(hours), "needs hydra/launcher=gansweep_local, which can end a run early")
        limit = TimeLimit.of(hours, time.time() if started is None else started)
        self.bounds = Bounds(self.config["cells"], limit, searched, len({cell.hash for cell in self.cells}))

    def run(self, launcher: Launcher | None = None) -> int:
        """Print the plan, or train every cell and print the table.

        Returns:
            The exit code.
        """
        self.keep_bounded()
        if self.config["plan"]:
            from gansweep.cli import plan_output  # imports torch

            plan_output.show(self.sweep(), self.config, self.bounds.note())
            return 0
        self.begin(self.config["fresh"])
        code, cut_short = self.train_all(launcher)
        self.report(cut_short)
        return code

    def train_all(self, launcher: Launcher | None = None) -> tuple[int, bool]:
        """Train every cell; return (exit code, True if the user stopped the sweep before all cells were done)."""
        if launcher is not None:
            return self._elsewhere(launcher)
        outcome = self.train()
        self.bounds.num_unfinished = len(outcome.missing) if outcome.out_of_time else 0
        return outcome.exit_code, outcome.cut_short

    def keep_bounded(self, num_before: int = 0) -> None:
        """Restrict the cells to those that `cells` allows, in the order of training, if the command is bounded.

        Args:
            num_before: number of cells of earlier rounds, which count too.
        """
        if not self.bounds.are_set:
            return
        kept = self.bounds.kept(self.cells, self._is_done, num_before)
        parts = (self.cells, self.compositions, self.jobs)
        self.cells, self.compositions, self.jobs = ([part[n] for n in kept] for part in parts)

    def configure_logging(self) -> None:
        """Configure logging from `hydra.hydra_logging`."""
        _configure_log(self.master)

    def sweep(self) -> Sweep:
        """Return a new `Sweep` of the grid's cells, with a note if their settings are points of a search."""
        sweep = Sweep(self.root, self.cells, self.command)
        sweep.note, sweep.bound = search_note(self.config) or sweep.note, self.bounds.note()
        return sweep

    def begin(self, fresh: bool) -> None:
        """Write the grid to the sweep's directory.

        Args:
            fresh: rename the directory of an earlier sweep first.

        Raises:
            BadConfig: the directory can't be written, or the earlier sweep is still running.
        """
        try:
            aside = set_aside(self.root) if fresh else None
            if aside is not None:
                log.info("Earlier results were moved to %s", aside)
            sweep = self.sweep()
            for note in sweep.notes():
                log.info("%s", note)
            sweep.freeze()
            composed = self.root / "multirun.yaml"
            rename_misplaced(composed, composed.is_file())
            OmegaConf.save(self.master, composed)
        except ValueError as error:
            raise SettingError.of("", error) from error
        except OSError as error:
            raise SettingError("hydra.sweep.dir", self.root, f"can't be written: {error.strerror}") from error

    def train(self, announce: bool = True) -> Outcome:
        """Train the cells on the launcher's `backend`."""
        if self.backend["backend"] == HERE:
            return self.train_here(announce=announce)
        sweep = self.sweep()
        failed = sweep.failed()
        retried = failed if self.config["retry_failed"] else {}
        outcome = sweep.outcome(retried)
        if outcome.missing:
            work = partial(self.train_share, failed, Path.cwd())
            interrupted = backends.train(work, self.backend, self.root)
            outcome = sweep.outcome(retried)
            outcome.interrupted = interrupted and bool(outcome.missing)
            outcome = outcome if self.bounds.limit is None else outcome.ended_by(stopped_by_user=interrupted)
        return outcome

    def train_share(self, failed: Mapping[str, dict[str, Any]], folder: Path) -> int:
        """Train the cells as one of several tasks of a backend, and return the exit code.

        All tasks iterate over the same cells, as several processes of one machine do. Each task runs until all
        cells have ended, and so takes over the cells of a lost task. Later edits of YAML files have no effect.

        Args:
            failed: records of the cells that had failed before. A cell that fails in another task is not tried again.
            folder: working directory of the command.
        """
        os.chdir(folder)
        self.configure_logging()
        self.refuse_edited()
        return self.train_here(failed, self.backend["tasks"], self.backend["cpus"]).exit_code

    def train_here(
        self,
        failed: Mapping[str, dict[str, Any]] | None = None,
        tasks: int = 1,
        cores: int | None = None,
        announce: bool = False,
    ) -> Outcome:
        """Train the cells on this machine, with the number of processes and the pack size of `distribution.distribute`.

        `failed` are the records of the cells that had failed when the sweep began; None: they are read from disk.
        """
        from gansweep.cli.distribution import distribute, start_method

        sweep = self.sweep()
        composed = {cell.hash: job for cell, job in zip(self.cells, self.compositions, strict=True)}
        continuations, branches = beginnings(self.root, sweep.cells)
        jobs = Jobs(composed, continuations.sources, branches, self.limits)
        limit = self.bounds.limit
        executor, workers = distribute(jobs, sweep.cells, self.config, tasks, cores, limit)
        if announce and (waiting := sum(not self._is_done(cell) for cell in sweep.cells)):
            processes = "one process" if workers == 1 else f"{workers} processes"
            log.info("Training %d of %s in %s", waiting, cells(len(sweep.cells)), processes)
        with Stop() as stop:
            retry = self.config["retry_failed"]
            start = start_method(self.config, partial(_configure_log, self.master))
            progress = Progress(len(sweep.cells), mode=self.config["progress"], file=ProgressFile(self.root))
            outcome = sweep.run(
                executor,
                retry_failed=retry,
                failed=failed,
                stop=stop if limit is None else lambda: stop() or limit.reached(),
                progress=progress,
                workers=workers,
                start=start,
            )
            return outcome if limit is None else outcome.ended_by(stopped_by_user=stop())

    def refuse_edited(self) -> None:
        """Check that the hash of every cell is unchanged since the grid was checked.

        Raises:
            BadConfig: the code was edited in between.
        """
        for cell, composed in zip(self.cells, self.compositions, strict=True):
            now = grid.cell_of(composed.config, composed.overrides, composed.choices, self.root)
            if now.hash != cell.hash:
                expected = "its hash has changed: the code was edited after the grid was checked"
                raise SettingError(cell.name, None, expected)

    def report(self, cut_short: bool = False, sweep: Sweep | None = None) -> None:
        """Write and print the table, the report command and, after an interruption, the command that continues."""
        from gansweep.results import table  # imports numpy, which --help and --cfg need not

        say(for_terminal(table.write(sweep or self.sweep())))
        where = shlex.quote(os.path.relpath(self.root))
        say(f"Verdicts and pictures: python -m gansweep.report {where} --format html")
        if cut_short:
            say(f"\nInterrupted. To continue: {self.command_to_continue}")
        elif self.bounds.num_unfinished:
            say(f"\nhours={plain(self.config['hours'])} has passed. To continue: {self.command_to_continue}")

    def _elsewhere(self, launcher: Launcher) -> tuple[int, bool]:
        """Train with another Hydra launcher, one job per cell; return as `train_all`."""
        cells = self.sweep().cells
        overrides = {cell.hash: job for cell, job in zip(self.cells, self.jobs, strict=True)}
        # The working directory of a job may differ from this one, as on Ray.
        root = "hydra.sweep.dir='" + str(self.root).replace("\\", "\\\\").replace("'", "\\'") + "'"
        lines = [
            [*overrides[cell.hash], root, f"hydra.sweep.subdir='{cell.name}'"]
            for cell in cells
            if not self._is_done(cell)
        ]
        size = OmegaConf.select(self.master, "hydra.sweeper.max_batch_size") or len(lines) or 1
        interrupted = False
        try:
            for start in range(0, len(lines), size):
                launcher.launch(lines[start : start + size], initial_job_idx=start)
        except KeyboardInterrupt:
            interrupted = True
        except Exception:
            log.exception("The launcher failed")
        if interrupted and not all(self._is_done(cell) for cell in cells):
            return 130, True
        return (0 if all(state(cell).is_result for cell in cells) else 1), False

    def _is_done(self, cell: Cell) -> bool:
        now = state(cell)
        dropped = now is State.DROPPED and cell.in_race
        return now.is_result or dropped or (now is State.FAILED and not self.config["retry_failed"])


def _configure_log(master: DictConfig) -> None:
    """Configure logging from `hydra.hydra_logging`."""
    configure_log(master.hydra.hydra_logging, master.hydra.verbose)
    name_cells()


def command(loader: ConfigLoader, continues: bool = False) -> str:
    """Return the command line as typed; `continues` omits fresh=true, which would start the sweep again."""
    arguments = getattr(loader, "arguments", ())
    typed = [text for text in arguments if not (continues and text.startswith("fresh="))]
    return shlex.join(["python", "-m", "gansweep", *typed])
