"""A sweep in rounds: seeds=auto."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from gansweep.cli.sweeping import Multirun, command
from gansweep.config.errors import BadConfig, Problem
from gansweep.sweep.cell import Cell, State
from gansweep.sweep.race import SeedRace
from gansweep.sweep.result import Result
from gansweep.sweep.sweep import Sweep
from gansweep.sweep.sweep_keys import SEED

if TYPE_CHECKING:
    from hydra.plugins.launcher import Launcher

log = logging.getLogger(__name__)


class Racing:
    """Trains a grid with more and more seeds, where they are still needed.

    Which are follows from the records alone, so the same line typed again goes on where the last one stopped.

    Args:
        typed: the grid as it was typed.
        again: makes one of other jobs, whose cells are named as those of a grid that varies the given keys.

    Raises:
        BadConfig: there is nothing to decide by, or too few seeds are allowed.
    """

    def __init__(self, typed: Multirun, again: Callable[[Sequence[Sequence[str]], Sequence[str]], Multirun]) -> None:
        self.config, self.root, self._again = typed.config, typed.root, again
        if any(cell.config.get("metric") is None for cell in typed.cells):
            raise BadConfig([Problem("seeds", "=auto: seeds are added by the metric's values; choose one, metric=...")])
        seeds = dict.fromkeys(int(cell.config[SEED]) for cell in typed.cells)
        try:
            self.race = SeedRace.beginning_with(seeds, self.config["most_seeds"])
        except ValueError as error:
            raise BadConfig([Problem.of("", error)]) from error
        # One job for every setting, and equal trainings once.
        first = next(iter(seeds))
        jobs = {cell.hash: job for cell, job in zip(typed.cells, typed.jobs, strict=True) if cell.config[SEED] == first}
        self.jobs = list(jobs.values())
        self.keys = [*dict.fromkeys([*typed.swept, SEED])]
        self.cells: list[dict[int, Cell]] = [{} for _ in self.jobs]

    def run(self, launcher: Launcher | None = None) -> int:
        """Plan, or train round after round, and say what came out.

        Returns:
            The exit code.
        """
        worst, cut_short, fresh = 0, False, self.config["fresh"]
        for_plan = self.config["plan"]
        while (wanted := self.race.wanted(self.settings())) and not cut_short:
            batch = self._round(wanted)
            if for_plan:
                if self._missing(wanted):
                    break
                continue
            batch.begin(fresh)
            fresh = False
            code, cut_short = batch.settle(launcher)
            worst = max(worst, code)
            if self._missing(wanted):  # another engine gave up, or somebody asked to stop
                break
        sweep = self._sweep()
        if for_plan:
            from gansweep.cli.fused import by_probe

            print(sweep.plan(self.config["retry_failed"], by_probe()))
            print(self._plan())
            return 0
        sweep.note = self.race.told(self.settings())
        batch.report(cut_short, sweep)
        return worst

    def settings(self) -> list[dict[int, Result]]:
        """Return the runs of every setting that have come to an end, or failed, by seed."""
        found = {result.cell.hash: result for result in self._sweep().results}
        ended = [{seed: found[cell.hash] for seed, cell in cells.items()} for cells in self.cells]
        return [{seed: r for seed, r in one.items() if r.state.is_result or r.state is State.FAILED} for one in ended]

    def _sweep(self) -> Sweep:
        return Sweep(self.root, [cell for cells in self.cells for cell in cells.values()], command())

    def _round(self, wanted: Sequence[tuple[int, int]]) -> Multirun:
        """Compose the cells of a round."""
        batch = self._again([_with_seed(self.jobs[place], seed) for place, seed in wanted], self.keys)
        for (place, seed), cell in zip(wanted, batch.cells, strict=True):
            self.cells[place][seed] = cell
        racing = len({place for place, _ in wanted})
        if min(seed for _, seed in wanted) not in self.race.seeds[: self.race.fewest]:
            log.info("seeds=auto: one seed more for %d of %d settings", racing, len(self.jobs))
        return batch

    def _missing(self, wanted: Sequence[tuple[int, int]]) -> bool:
        settings = self.settings()
        return any(seed not in settings[place] for place, seed in wanted)

    def _plan(self) -> str:
        told = self.race.told(self.settings())
        rest = len(self.race.seeds) * len(self.jobs) - sum(len(cells) for cells in self.cells)
        more = f"Of these {len(self.jobs)} settings, up to {rest} runs more will be made as the results ask for."
        return f"{told}\n{more}" if told else f"seeds=auto: {more}"


def _with_seed(job: Sequence[str], seed: int) -> list[str]:
    """Put a seed where a job has one, so that its directory is called as it would be otherwise."""
    line, has = f"{SEED}={seed}", any(one.startswith(f"{SEED}=") for one in job)
    return [line if one.startswith(f"{SEED}=") else one for one in job] + ([] if has else [line])
