"""A multirun from its overrides to its table."""

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
from gansweep.sweep.stop import Stop
from gansweep.sweep.sweep import Outcome, Sweep, set_aside

log = logging.getLogger(__name__)

EXPECTED_PLACES = "runs lie at outputs/<sweep>/<cell>, Hydra's files in .hydra; choose name=... or hydra.sweep.dir=..."
# Of Hydra's node: what says where a run lies, as conf/config.yaml and Hydra have it.
PLACES = {
    ("run", "dir"): "outputs/${gansweep.sweep:${name},${hydra.overrides.task}}/${gansweep.cell:}",
    ("sweep", "subdir"): "${gansweep.cell:}",
    ("", "output_subdir"): ".hydra",
}


class Multirun:
    """A checked grid and what is to be done with it.

    Args:
        loader: Hydra's.
        master: the configuration of the command line without the sweep's own overrides.
        jobs: the overrides of every job.
        here: the jobs are for our own launcher, not for another of Hydra's.
        vary: keys that are varied in jobs still to come.

    Raises:
        BadConfig: something is wrong with a job; nothing has been written then.
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
        """Plan, or train every cell, and say what came out.

        Args:
            launcher: one of Hydra's engines, None to train in this process.

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
        """Train every cell; return the exit code, and whether somebody asked to stop before all was done."""
        if launcher is not None:
            return self._elsewhere(launcher)
        outcome = self.train()
        return outcome.exit_code, outcome.cut_short

    def listen(self) -> None:
        """Let what is logged be seen, as Hydra's configuration says."""
        configure_log(self.master.hydra.hydra_logging, self.master.hydra.verbose)
        name_cells()

    def sweep(self) -> Sweep:
        """Return the sweep of the grid's cells."""
        return Sweep(self.root, self.cells, command())

    def begin(self, fresh: bool) -> None:
        """Freeze the grid, after moving an older sweep aside if that is asked for.

        Raises:
            BadConfig: the directory can't be written, or somebody works in the one to be moved.
        """
        try:
            aside = set_aside(self.root) if fresh else None
            if aside is not None:
                log.info("The earlier results are in %s", aside)
            sweep = self.sweep()
            for notice in [*sweep.notices, *sweep.code_changes]:
                log.info("%s", notice)
            sweep.freeze()
            OmegaConf.save(self.master, self.root / "multirun.yaml")
        except ValueError as error:
            raise BadConfig([Problem.of("", error)]) from error
        except OSError as error:
            raise BadConfig(
                [Problem("hydra.sweep.dir", f"={self.root}: can't be written: {error.strerror}")]
            ) from error

    def train(self, announce: bool = True) -> Outcome:
        """Train the cells where the launcher's `backend` says.

        Args:
            announce: say at the start what is coming, as the first cell may take long to end.
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
        """Train the cells on this machine, in as many processes and packs as are fastest.

        Args:
            failed: records of the cells that had failed when the sweep began; None: they are looked up.
            tasks: machines that share the cells, this one included.
            cores: of this machine, for the sweep; None: all that this process may use.
            announce: say at the start what is coming.
        """
        from gansweep.cli.fused import can_fork, how

        jobs = Jobs({cell.hash: composed for cell, composed in zip(self.cells, self.compositions, strict=True)})
        sweep = self.sweep()
        settle, workers = how(jobs, sweep.cells, self.config, tasks, cores)
        waiting = sum(not self._is_done(cell) for cell in sweep.cells)
        if announce and waiting:
            log.info("Training %d of %s in %s", waiting, cells(len(sweep.cells)), _processes(workers))
        with Stop() as stop:
            retry = self.config["retry_failed"]
            fork = can_fork(self.config)
            return sweep.run(settle, retry_failed=retry, failed=failed, stop=stop, workers=workers, can_fork=fork)

    def refuse_edited(self) -> None:
        """Look whether the code still makes the same trainings of what was checked.

        Raises:
            BadConfig: it was edited in between.
        """
        for cell, composed in zip(self.cells, self.compositions, strict=True):
            now = grid.cell_of(composed.config, composed.overrides, composed.choices, self.root)
            if now.hash != cell.hash:
                raise BadConfig(
                    [Problem(cell.name, "is another training now: the code was edited since it was planned")]
                )

    def report(self, cut_short: bool = False, sweep: Sweep | None = None) -> None:
        """Write and print the table, how to read more, and how to go on where something is left to train."""
        print((sweep or self.sweep()).report())
        where = shlex.quote(os.path.relpath(self.root))
        print(f"Verdicts and pictures: python -m gansweep.report {where} --format html")
        if cut_short:
            print(f"\nInterrupted. To continue: {to_continue()}")

    def _elsewhere(self, launcher: Launcher) -> tuple[int, bool]:
        """Hand the jobs to another engine; every one finds its directory and works by itself."""
        cells = self.sweep().cells
        overrides = {cell.hash: job for cell, job in zip(self.cells, self.jobs, strict=True)}
        # A job may begin in another working directory than this one, as on Ray.
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
            log.exception("The launcher gave up")
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
    """Return what was typed, to be typed again."""
    return shlex.join(["python", "-m", "gansweep", *ARGUMENTS])


def to_continue() -> str:
    """Return what to type to go on with the same sweep: fresh=true would begin another one."""
    return shlex.join(["python", "-m", "gansweep", *(one for one in ARGUMENTS if not one.startswith("fresh="))])


# What the user typed. The command line notes it before handing a completed one to Hydra.
ARGUMENTS: list[str] = []


def _refuse(master: DictConfig, here: bool) -> None:
    """Refuse what Hydra offers and cells that lie at outputs/<sweep>/<cell>, several in one process, can't have.

    What differs from conf/config.yaml counts, whether the line or an experiment sets it.
    """
    node: Any = OmegaConf.to_container(master.hydra, resolve=False)
    problems = []
    if node["job"]["chdir"]:
        problems.append(Problem("hydra.job.chdir", "=true: cells share a process, which has one directory"))
    for (group, key), default in PLACES.items():
        value = node[group][key] if group else node[key]
        if value != default:
            where = ".".join(filter(None, ("hydra", group, key)))
            problems.append(Problem(where, f"={'null' if value is None else value}: {EXPECTED_PLACES}"))
    if here and node["job"]["env_set"]:
        names = ", ".join(node["job"]["env_set"])
        problems.append(Problem("hydra.job.env_set", f"={names}: cells share a process; set it before the command"))
    if problems:
        raise BadConfig(problems)
