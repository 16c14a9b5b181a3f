"""seeds=auto: add seeds in rounds to the configurations that can still come first."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from gansweep.cli.search_points import search_note
from gansweep.cli.sweeping import Multirun
from gansweep.config.errors import SettingError
from gansweep.formatting import counted
from gansweep.sweep.cell import Cell, Result, State
from gansweep.sweep.seed_race import SeedRace
from gansweep.sweep.sweep import Sweep
from gansweep.sweep.sweep_keys import SEED

if TYPE_CHECKING:
    from hydra.plugins.launcher import Launcher

log = logging.getLogger(__name__)


class AutoSeeds:
    """Multirun whose seeds are chosen by successive elimination of configurations (`sweep.seed_race.SeedRace`).

    Each round trains one more seed of every configuration that is still in the race. The decision depends on the
    records alone, so the same command line continues an interrupted race.

    Args:
        typed: the multirun of the command line.
        again: builds a multirun from other jobs; its second argument lists the keys that name the cells.

    Raises:
        BadConfig: no metric is chosen, or `most_seeds` allows too few seeds.
    """

    def __init__(self, typed: Multirun, again: Callable[[Sequence[Sequence[str]], Sequence[str]], Multirun]) -> None:
        self.config, self.root, self._again = typed.config, typed.root, again
        self.command = typed.command
        if any(cell.config.get("metric") is None for cell in typed.cells):
            expected = "seeds are chosen by the metric's values; choose a metric with metric=..."
            raise SettingError("seeds", "auto", expected)
        seeds = dict.fromkeys(int(cell.config[SEED]) for cell in typed.cells)
        try:
            self.race = SeedRace.beginning_with(seeds, self.config["most_seeds"])
        except ValueError as error:
            raise SettingError.of("", error) from error
        # One job for every configuration; cells with equal hashes are one configuration.
        first = next(iter(seeds))
        jobs = {cell.hash: job for cell, job in zip(typed.cells, typed.jobs, strict=True) if cell.config[SEED] == first}
        self.jobs = list(jobs.values())
        self.keys = [*dict.fromkeys([*typed.swept, SEED])]
        self.cells: list[dict[int, Cell]] = [{} for _ in self.jobs]

    def run(self, launcher: Launcher | None = None) -> int:
        """Print the plan, or train all rounds and print the table; return the exit code."""
        if self.config["plan"]:
            self._print_plan()
            return 0
        worst, fresh, cut_short, batch = 0, self.config["fresh"], False, None
        while wanted := self.race.wanted(self.settings()):
            batch = self._round(wanted)
            batch.begin(fresh)
            fresh = False
            code, cut_short = batch.settle(launcher)
            worst = max(worst, code)
            if cut_short or self._missing(wanted):  # another launcher failed, or the user stopped the sweep
                break
        sweep = self._sweep()
        sweep.note = " ".join(filter(None, [self.race.summary(self.settings()), search_note(self.config)]))
        if batch is not None:  # there are at least two seeds, so there is a first round
            batch.report(cut_short, sweep)
        return worst

    def settings(self) -> list[dict[int, Result]]:
        """Return for every configuration its finished or failed runs by seed."""
        results = {result.cell.hash: result for result in self._sweep().results}
        by_seed = [{seed: results[cell.hash] for seed, cell in cells.items()} for cells in self.cells]
        return [
            {seed: run for seed, run in runs.items() if run.state.is_result or run.state is State.FAILED}
            for runs in by_seed
        ]

    def _sweep(self) -> Sweep:
        return Sweep(self.root, [cell for cells in self.cells for cell in cells.values()], self.command)

    def _round(self, wanted: Sequence[tuple[int, int]]) -> Multirun:
        """Compose and check the cells of a round, given as pairs (index of the configuration, seed)."""
        batch = self._again([_with_seed(self.jobs[index], seed) for index, seed in wanted], self.keys)
        for (index, seed), cell in zip(wanted, batch.cells, strict=True):
            self.cells[index][seed] = cell
        if min(seed for _, seed in wanted) not in self.race.seeds[: self.race.fewest]:
            log.info("seeds=auto: one more seed for %d of %d configurations", len(dict(wanted)), len(self.jobs))
        return batch

    def _missing(self, wanted: Sequence[tuple[int, int]]) -> bool:
        settings = self.settings()
        return any(seed not in settings[index] for index, seed in wanted)

    def _print_plan(self) -> None:
        """Print the cells of the next round, and the number of runs that may follow."""
        from gansweep.cli import plan_output

        while wanted := self.race.wanted(self.settings()):
            self._round(wanted)
            if self._missing(wanted):
                break
        verdict = self.race.summary(self.settings())
        rest = len(self.race.seeds) * len(self.jobs) - sum(len(cells) for cells in self.cells)
        of = counted(len(self.jobs), "configuration")
        more = f"Up to {counted(rest, 'more run')} of these {of}, depending on the results."
        plan_output.show(self._sweep(), self.config, *([verdict, more] if verdict else [f"seeds=auto: {more}"]))


def _with_seed(job: Sequence[str], seed: int) -> list[str]:
    """Return a job's overrides with another seed, in the place of the first so that directory names do not change."""
    line, has = f"{SEED}={seed}", any(override.startswith(f"{SEED}=") for override in job)
    return [line if override.startswith(f"{SEED}=") else override for override in job] + ([] if has else [line])
