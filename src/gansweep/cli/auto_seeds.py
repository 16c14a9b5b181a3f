"""seeds=auto and race=steps: train in rounds, each of the configurations that can still come first."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from gansweep.cli.search_points import search_note
from gansweep.cli.sweeping import Multirun
from gansweep.config.errors import SettingError
from gansweep.formatting import counted
from gansweep.statistics.step_race import FEWEST_SEEDS
from gansweep.sweep.cell import Cell, Result, State
from gansweep.sweep.races import SeedRace, StepRaceOfSweep
from gansweep.sweep.sweep import Sweep
from gansweep.sweep.sweep_keys import SEED, SEEDS

if TYPE_CHECKING:
    from hydra.plugins.launcher import Launcher

log = logging.getLogger(__name__)

NEXT = " that the race asks for next"
ENDED = (State.DROPPED, State.FAILED)  # without a result, and not trained again in a race


class AutoSeeds:
    """Multirun in rounds, with successive elimination of configurations.

    With seeds=auto each round trains one more seed of every configuration that is still in the race
    (`sweep.seed_race`). With race=steps runs are also dropped during training (`sweep.step_race`). All decisions depend
    on the records of earlier rounds alone, so the same command line continues an interrupted race, and neither the
    number of processes nor their speed matters.

    Args:
        typed: the multirun of the command line.
        again: builds a multirun from other jobs; its second argument lists the keys that name the cells.

    Raises:
        BadConfig: no metric is chosen, or there are too few seeds.
    """

    def __init__(self, typed: Multirun, again: Callable[[Sequence[Sequence[str]], Sequence[str]], Multirun]) -> None:
        self.config, self.root, self._again = typed.config, typed.root, again
        self.command = typed.command
        key, value = ("seeds", "auto") if self.config["race"] is None else ("race", "steps")
        self.name = f"{key}={value}"
        if any(cell.config.get("metric") is None for cell in typed.cells):
            what = "seeds are chosen" if key == "seeds" else "configurations are compared"
            expected = f"{what} by the metric's values; choose a metric with metric=..."
            raise SettingError(key, value, expected)
        seeds = dict.fromkeys(int(cell.config[SEED]) for cell in typed.cells)
        # One job for every configuration; cells with equal hashes are one configuration.
        first = next(iter(seeds))
        pairs = zip(typed.cells, typed.jobs, strict=True)
        jobs = {cell.hash: (cell, job) for cell, job in pairs if cell.config[SEED] == first}
        self.jobs = [job for _, job in jobs.values()]
        self.race = self._race([*seeds], [cell for cell, _ in jobs.values()], typed.swept)
        self.keys = [*dict.fromkeys([*typed.swept, SEED])]
        self.cells: list[dict[int, Cell]] = [{} for _ in self.jobs]

    def _race(self, seeds: Sequence[int], cells: Sequence[Cell], swept: Sequence[str]) -> SeedRace | StepRaceOfSweep:
        """Return the rule of the race.

        Args:
            seeds: of the command line.
            cells: of the first seed, one for every configuration.
            swept: keys that the command line varies.
        """
        if others := [key for key in SEEDS if key != SEED and key in swept]:
            key, _, value = self.name.partition("=")
            raise SettingError(key, value, f"varies `seed` alone; expected no list for {others[0]}")
        try:
            auto = SeedRace.beginning_with(seeds, self.config["most_seeds"]) if self.config["seeds"] else None
            if self.config["race"] is None and auto is not None:
                return auto
        except ValueError as error:
            raise SettingError.of("", error) from error
        seeds = seeds if auto is None else auto.seeds
        if len(seeds) < FEWEST_SEEDS:
            expected = f"expected at least {FEWEST_SEEDS} seeds, e.g. seed=0,1,2, or seeds=auto, to measure the noise"
            raise SettingError("race", "steps", expected)
        return StepRaceOfSweep.of(cells, seeds)

    def run(self, launcher: Launcher | None = None) -> int:
        """Print the plan, or train all rounds and print the table; return the exit code."""
        if self.config["plan"]:
            self._print_plan()
            return 0
        if launcher is not None and self.config["race"] is not None:
            raise SettingError("race", "steps", "needs hydra/launcher=gansweep_local, which can end a run early")
        worst, fresh, cut_short, batch = 0, self.config["fresh"], False, None
        while wanted := self.race.wanted(self.settings()):
            limits = self.race.limits(self.settings()) if isinstance(self.race, StepRaceOfSweep) else {}
            batch = self._round(wanted)
            if not batch.cells:
                break
            if limits:
                cells = {pair: self.cells[pair[0]].get(pair[1]) for pair in limits}
                batch.limits = {cell.hash: limits[pair] for pair, cell in cells.items() if cell is not None}
            batch.begin(fresh)
            fresh = False
            code, cut_short = batch.train_all(launcher)
            worst = max(worst, code)
            if cut_short or self._missing(wanted):  # another launcher failed, or the user stopped the sweep
                break
        sweep = self._sweep()
        sweep.note = " ".join(filter(None, [self.race.summary(self.settings()), search_note(self.config)]))
        if batch is not None:  # there are at least two seeds, so there is a first round
            sweep.bound = batch.bounds.note(NEXT)
            batch.report(cut_short, sweep)
        return worst

    def settings(self) -> list[dict[int, Result]]:
        """Return for every configuration its finished, dropped or failed runs by seed."""
        results = {result.cell.hash: result for result in self._sweep().results}
        by_seed = [{seed: results[cell.hash] for seed, cell in cells.items()} for cells in self.cells]
        return [
            {seed: run for seed, run in runs.items() if run.state.is_result or run.state in ENDED} for runs in by_seed
        ]

    def _sweep(self) -> Sweep:
        return Sweep(self.root, [cell for cells in self.cells for cell in cells.values()], self.command)

    def _round(self, wanted: Sequence[tuple[int, int]]) -> Multirun:
        """Compose and check the cells of a round, given as pairs (index of the configuration, seed).

        With `cells` or `hours`, the round may have fewer cells, or none.
        """
        batch = self._again([_with_seed(self.jobs[index], seed) for index, seed in wanted], self.keys)
        pairs = {cell.hash: pair for pair, cell in zip(wanted, batch.cells, strict=True)}
        batch.keep_bounded(sum(map(len, self.cells)))
        for cell in batch.cells:
            index, seed = pairs[cell.hash]
            self.cells[index][seed] = cell
        if min(seed for _, seed in wanted) not in self.race.seeds[: self.race.fewest]:
            log.info("%s: one more seed for %d of %d configurations", self.name, len(dict(wanted)), len(self.jobs))
        return batch

    def _missing(self, wanted: Sequence[tuple[int, int]]) -> bool:
        settings = self.settings()
        return any(seed not in settings[index] for index, seed in wanted)

    def _print_plan(self) -> None:
        """Print the cells of the next round, and the number of runs that may follow."""
        from gansweep.cli import plan_output

        bound = ""
        while wanted := self.race.wanted(self.settings()):
            bound = self._round(wanted).bounds.note(NEXT)
            if self._missing(wanted):
                break
        verdict = self.race.summary(self.settings())
        num_cells = sum(map(len, self.cells))
        rest = len(self.race.seeds) * len(self.jobs) - num_cells
        if self.config["cells"] is not None:
            rest = max(min(rest, self.config["cells"] - num_cells), 0)
        of = counted(len(self.jobs), "configuration")
        more = f"up to {counted(rest, 'more run')} of these {of}, depending on the results."
        notes = [verdict]
        if wanted and rest:
            notes = [verdict, more.capitalize()] if verdict else [f"{self.name}: {more}"]
        plan_output.show(self._sweep(), self.config, *notes, bound)


def _with_seed(job: Sequence[str], seed: int) -> list[str]:
    """Return a job's overrides with another seed, in the place of the first so that directory names do not change."""
    line, has = f"{SEED}={seed}", any(override.startswith(f"{SEED}=") for override in job)
    return [line if override.startswith(f"{SEED}=") else override for override in job] + ([] if has else [line])
