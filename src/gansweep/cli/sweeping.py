"""Multirun: check a grid, train its cells and print the table."""

from __future__ import annotations

import logging
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.utils import configure_log
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig, OmegaConf

from gansweep.cli import grid, scale_out
from gansweep.cli.backends import HERE
from gansweep.cli.cell_log import name_cells
from gansweep.cli.compose import Composer
from gansweep.cli.job import Jobs
from gansweep.config.errors import BadConfig, Problem
from gansweep.sweep.cell import Cell, State, cells, state
from gansweep.sweep.run_state import rename_misplaced
from gansweep.sweep.sweep import Outcome, Sweep
from gansweep.sweep.sweep_directory import set_aside
from gansweep.training.interruption import Stop

log = logging.getLogger(__name__)

EXPECTED_PLACES = (
    "can't be changed: runs are written to outputs/<sweep>/<cell>, Hydra's files to .hydra; "
    "expected name=... or hydra.sweep.dir=..."
)
# Settings of Hydra that determine the directory of a run, with the values of conf/config.yaml and of Hydra.
PLACES = {
    ("run", "dir"): "outputs/${gansweep.sweep:${name},${hydra.overrides.task}}/${gansweep.cell:}",
    ("sweep", "subdir"): "${gansweep.cell:}",
    ("", "output_subdir"): ".hydra",
}


class Multirun:
    """Checked grid of cells, with methods to plan, train and report it.

    Args:
        loader: Hydra's config loader.
        master: configuration of the command line without the swept overrides.
        jobs: overrides of every job.
        here: True for gansweep's own launcher, False for another Hydra launcher.
        vary: keys that later jobs vary.

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
    ) -> None:
        self.master, self.jobs = master, jobs
        self.listen()
        _refuse(master, here)
        self.backend = scale_out.chosen(master)
        here = here and self.backend["backend"] == HERE
        self.root = Path(str(master.hydra.sweep.dir)).absolute()
        composer = Composer(lambda overrides: loader.load_sweep_config(master, overrides), loader)
        self.cells, self.compositions = grid.compose(composer, jobs, self.root, here=here, vary=vary)
        self.swept = grid.swept_keys(jobs)
        self.config = self.cells[0].config

    def run(self, launcher: Launcher | None = None) -> int:
        """Print the plan, or train every cell and print the table.

        Args:
            launcher: another Hydra launcher; None: train with gansweep's own.

        Returns:
            The exit code.
        """
        if self.config["plan"]:
            from gansweep.cli.fused import by_probe

            print(self.sweep().plan(self.config["retry_failed"], by_probe()))
            return 0
        self.begin(self.config["fresh"])
        code, cut_short = self.settle(launcher)
        self.report(cut_short)
        return code

    def settle(self, launcher: Launcher | None = None) -> tuple[int, bool]:
        """Train every cell; return (exit code, True if the user stopped the sweep before all cells were done)."""
        if launcher is not None:
            return self._elsewhere(launcher)
        outcome = self.train()
        return outcome.exit_code, outcome.cut_short

    def listen(self) -> None:
        """Configure logging from `hydra.hydra_logging`."""
        configure_log(self.master.hydra.hydra_logging, self.master.hydra.verbose)
        name_cells()

    def sweep(self) -> Sweep:
        """Return a new `Sweep` of the grid's cells."""
        return Sweep(self.root, self.cells, command())

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
            for notice in [*sweep.notices, *sweep.code_changes]:
                log.info("%s", notice)
            sweep.freeze()
            composed = self.root / "multirun.yaml"
            rename_misplaced(composed, composed.is_file())
            OmegaConf.save(self.master, composed)
        except ValueError as error:
            raise BadConfig([Problem.of("", error)]) from error
        except OSError as error:
            raise BadConfig(
                [Problem("hydra.sweep.dir", f"={self.root}: can't be written: {error.strerror}")]
            ) from error

    def train(self, announce: bool = True) -> Outcome:
        """Train the cells on the launcher's `backend`.

        Args:
            announce: log the number of cells and processes at the start.
        """
        if self.backend["backend"] != HERE:
            return scale_out.train(self, self.backend)
        return self.train_here(announce=announce)

    def train_here(
        self,
        failed: Mapping[str, dict[str, Any]] | None = None,
        tasks: int = 1,
        cores: int | None = None,
        announce: bool = False,
    ) -> Outcome:
        """Train the cells on this machine, with the number of processes and pack size of `cli.fused.how`.

        Args:
            failed: records of the cells that had failed when the sweep began; None: read them from disk.
            tasks: number of machines that share the cells, this one included.
            cores: CPU cores to use; None: all that are available to this process.
            announce: log the number of cells and processes at the start.
        """
        from gansweep.cli.fused import can_fork, how

        jobs = Jobs({cell.hash: composed for cell, composed in zip(self.cells, self.compositions, strict=True)})
        sweep = self.sweep()
        executor, workers = how(jobs, sweep.cells, self.config, tasks, cores)
        waiting = sum(not self._is_done(cell) for cell in sweep.cells)
        if announce and waiting:
            log.info("Training %d of %s in %s", waiting, cells(len(sweep.cells)), _processes(workers))
        with Stop() as stop:
            retry = self.config["retry_failed"]
            fork = can_fork(self.config)
            return sweep.run(executor, retry_failed=retry, failed=failed, stop=stop, workers=workers, can_fork=fork)

    def refuse_edited(self) -> None:
        """Check that the hash of every cell is unchanged since the grid was checked.

        Raises:
            BadConfig: the code was edited in between.
        """
        for cell, composed in zip(self.cells, self.compositions, strict=True):
            now = grid.cell_of(composed.config, composed.overrides, composed.choices, self.root)
            if now.hash != cell.hash:
                raise BadConfig(
                    [Problem(cell.name, "its hash has changed: the code was edited after the grid was checked")]
                )

    def report(self, cut_short: bool = False, sweep: Sweep | None = None) -> None:
        """Write and print the table, the report command and, after an interruption, the command that continues."""
        from gansweep.results import table  # imports numpy, which --help and --cfg need not

        print(table.write(sweep or self.sweep()))
        where = shlex.quote(os.path.relpath(self.root))
        print(f"Verdicts and pictures: python -m gansweep.report {where} --format html")
        if cut_short:
            print(f"\nInterrupted. To continue: {to_continue()}")

    def _elsewhere(self, launcher: Launcher) -> tuple[int, bool]:
        """Train with another Hydra launcher, one job per cell; return as `settle`."""
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
        cut_short = interrupted and not all(self._is_done(cell) for cell in cells)
        if cut_short:
            return 130, True
        return (0 if all(state(cell).is_result for cell in cells) else 1), False

    def _is_done(self, cell: Cell) -> bool:
        now = state(cell)
        return now.is_result or (now is State.FAILED and not self.config["retry_failed"])


def _processes(count: int) -> str:
    return "one process" if count == 1 else f"{count} processes"


def command() -> str:
    """Return the command line as typed."""
    return shlex.join(["python", "-m", "gansweep", *ARGUMENTS])


def to_continue() -> str:
    """Return the command line that continues the sweep: without fresh=true, which would start it again."""
    return shlex.join(["python", "-m", "gansweep", *(text for text in ARGUMENTS if not text.startswith("fresh="))])


# Arguments as typed; set by `cli.app` before it passes the rewritten ones to Hydra.
ARGUMENTS: list[str] = []


def _refuse(master: DictConfig, here: bool) -> None:
    """Refuse settings of Hydra that do not work with several cells in one process, or that move their directories.

    Values are compared with conf/config.yaml, so those of an experiment are found too.

    Raises:
        BadConfig: with all problems.
    """
    node: Any = OmegaConf.to_container(master.hydra, resolve=False)
    problems = []
    if node["job"]["chdir"]:
        problems.append(
            Problem(
                "hydra.job.chdir", "=true: not supported, because the cells of a process share its working directory"
            )
        )
    for (group, key), default in PLACES.items():
        value = node[group][key] if group else node[key]
        if value != default:
            where = ".".join(filter(None, ("hydra", group, key)))
            problems.append(Problem(where, f"={'null' if value is None else value}: {EXPECTED_PLACES}"))
    if not str(node["sweep"]["dir"]).strip():
        problems.append(Problem("hydra.sweep.dir", "=: expected a directory"))
    size = node["sweeper"].get("max_batch_size")
    if size is not None and (type(size) is not int or size < 1):
        problems.append(
            Problem("hydra.sweeper.max_batch_size", f"={size}: expected a whole number, 1 or above, or null")
        )
    if here and node["job"]["env_set"]:
        names = ", ".join(node["job"]["env_set"])
        problems.append(
            Problem(
                "hydra.job.env_set",
                f"={names}: not supported, because cells share a process; set it in the shell before the command",
            )
        )
    if problems:
        raise BadConfig(problems)
