"""Hydra sweeper that checks the whole grid before training and prints a table at the end.

Hydra imports this module at the start of every Hydra application, so it only refers to gansweep.cli.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from hydra_plugins.gansweep.local_launcher import TARGET

if TYPE_CHECKING:
    from gansweep.cli.auto_seeds import AutoSeeds

EXPERIMENT = "experiment"

ConfigStore.instance().store(
    "gansweep_grid",
    {"_target_": "hydra_plugins.gansweep.grid_sweeper.GridSweeper", "max_batch_size": None, "params": None},
    group="hydra/sweeper",
    provider="gansweep",
)


class GridSweeper(BasicSweeper):
    """Grid sweeper with the combinations of BasicSweeper; each job is composed once instead of twice."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Set up the launcher with a config loader that composes jobs as this sweeper does."""
        from gansweep.cli.overrides import PrecedenceLoader

        loader = PrecedenceLoader(hydra_context.config_loader.get_search_path())
        context = replace(hydra_context, config_loader=loader)
        super().setup(hydra_context=context, task_function=task_function, config=config)
        self.hydra_context = hydra_context

    def sweep(self, arguments: list[str]) -> Any:
        """Train every combination; exit the process with an error code unless all cells have a result."""
        from gansweep.cli.search_points import is_adaptive, is_interval
        from gansweep.cli.sweeping import Multirun, composer_of
        from gansweep.cli.tpe_search import TpeSearch

        assert self.hydra_context is not None
        assert self.config is not None
        started = time.time()
        loader = self.hydra_context.config_loader
        lines, defaults = self._lines(OverridesParser.create(loader), arguments)
        # Compared by name: Hydra 1.3 executes plugin modules a second time, so their classes exist twice.
        is_local = self.config.hydra.launcher["_target_"] == TARGET
        searched = {override.get_key_element() for line in lines for override in line if is_interval(override)}
        composer = composer_of(loader, self.config)
        make = partial(
            Multirun, loader, self.config, here=is_local, started=started, searched=searched, composer=composer
        )
        multirun: Multirun | AutoSeeds | TpeSearch
        if is_adaptive(lines[0], defaults):
            multirun = TpeSearch(lines[0], defaults, make)
        else:
            multirun = make(_jobs(lines, defaults))
        if not isinstance(multirun, TpeSearch) and (multirun.config["seeds"] or multirun.config["race"]):
            from gansweep.cli.auto_seeds import AutoSeeds  # imports scipy.stats, most of a second

            multirun = AutoSeeds(multirun, make)
        code = multirun.run(None if is_local else self.launcher)
        if code:
            sys.exit(code)

    def _lines(self, parser: OverridesParser, arguments: list[str]) -> tuple[list[list[Override]], dict[str, Any]]:
        """Return the overrides of the command line with the sweep that an experiment defines, one list per experiment.

        The second result has the values of `num`, `sampler` and `cells` in the configuration.
        """
        from gansweep.cli.overrides import refuse_too_many
        from gansweep.cli.search_points import CELLS, NUM, SAMPLER

        assert self.config is not None
        lines = [
            merged(parser.parse_overrides(line), parser.parse_overrides(plan))
            for line, plan in self._planned(parser, arguments)
        ]
        defaults = {key: self.config.get(key) for key in (NUM, SAMPLER, CELLS)}
        refuse_too_many(lines, self.config.get("most_cells"), defaults[NUM])
        return lines, defaults

    def _planned(self, parser: OverridesParser, arguments: list[str]) -> list[tuple[list[str], list[str]]]:
        """Return pairs (command-line overrides, overrides of the experiment's sweep).

        There is one pair, unless several experiments are given and one of them defines a sweep.
        """
        assert self.hydra_context is not None
        assert self.config is not None
        typed = parser.parse_overrides(arguments)
        several = [n for n, o in enumerate(typed) if o.key_or_group == EXPERIMENT and o.is_sweep_override()]
        if not several:
            return [(arguments, self._parse_config())]
        (n,) = several[-1:]
        pairs = []
        for name in typed[n].sweep_string_iterator():
            line = [*arguments[:n], f"{EXPERIMENT}={name}", *arguments[n + 1 :]]
            try:
                config = self.hydra_context.config_loader.load_sweep_config(self.config, [line[n]])
            except ConfigCompositionException:  # no such experiment; reported when the grid is composed
                return [(arguments, self._parse_config())]
            plan = config.hydra.sweeper.get("params") or {}
            pairs.append((line, [f"{key}={value}" for key, value in plan.items()]))
        return pairs if any(plan for _, plan in pairs) else [(arguments, self._parse_config())]


def _jobs(lines: list[list[Override]], defaults: dict[str, Any]) -> list[list[str]]:
    """Return the overrides of every job; jobs that several experiments define are trained once."""
    from gansweep.cli.overrides import combinations

    jobs: list[list[str]] = []
    known: set[tuple[str, ...]] = set()
    for line in lines:
        new = [job for job in combinations(line, defaults) if tuple(job) not in known]
        known.update(map(tuple, new))
        jobs += new
    return jobs


def merged(typed: list[Override], planned: list[Override]) -> list[Override]:
    """Return the overrides of the command line and of an experiment's `hydra.sweeper.params`.

    Command-line overrides take precedence. `experiment` is the exception: an experiment that consists of several
    others is replaced by them.
    """
    plans = {o.key_or_group for o in planned}
    typed = [o for o in typed if not (o.key_or_group == EXPERIMENT and EXPERIMENT in plans)]
    keys = {(o.key_or_group, o.package) for o in typed}
    return [*(o for o in planned if (o.key_or_group, o.package) not in keys), *typed]
