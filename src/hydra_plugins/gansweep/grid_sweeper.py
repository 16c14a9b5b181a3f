"""Hydra's way to the sweeper that checks a whole grid first and prints a table last.

Hydra imports this at the start of every one of its applications: the work is in gansweep.cli.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from hydra_plugins.gansweep.local_launcher import TARGET

EXPERIMENT = "experiment"

ConfigStore.instance().store(
    "gansweep_grid",
    {"_target_": "hydra_plugins.gansweep.grid_sweeper.GridSweeper", "max_batch_size": None, "params": None},
    group="hydra/sweeper",
    provider="gansweep",
)


class GridSweeper(BasicSweeper):
    """The combinations of Hydra's own sweeper, composed once instead of twice."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Let another launcher compose its jobs as they are composed here."""
        from gansweep.cli.override_precedence import OutrankingLoader

        loader = OutrankingLoader(hydra_context.config_loader.get_search_path())
        context = replace(hydra_context, config_loader=loader)
        super().setup(hydra_context=context, task_function=task_function, config=config)
        self.hydra_context = hydra_context

    def sweep(self, arguments: list[str]) -> Any:
        """Train every combination, and end the process unless all of them have a result."""
        from gansweep.cli.auto_seeds import Racing
        from gansweep.cli.sweeping import Multirun

        assert self.hydra_context is not None and self.config is not None
        loader = self.hydra_context.config_loader
        jobs = self._jobs(OverridesParser.create(loader), arguments)
        # By name: Hydra 1.3 executes plugin modules once more, and their classes exist twice then.
        own = self.config.hydra.launcher["_target_"] == TARGET
        multirun: Multirun | Racing = Multirun(loader, self.config, jobs, here=own)
        if multirun.config["seeds"] == "auto":
            multirun = Racing(multirun, partial(Multirun, loader, self.config, here=own))
        code = multirun.run(None if own else self.launcher)
        if code:
            sys.exit(code)

    def _jobs(self, parser: OverridesParser, arguments: list[str]) -> list[list[str]]:
        """List the overrides of every job; each of several experiments brings the sweep that it plans itself."""
        from gansweep.cli.combinations import combinations
        from gansweep.cli.grid_size import refuse_too_many

        assert self.config is not None
        lines = [
            merged(parser.parse_overrides(line), parser.parse_overrides(plan))
            for line, plan in self._planned(parser, arguments)
        ]
        refuse_too_many(lines, self.config.get("most_cells"))
        jobs: list[list[str]] = []
        known: set[tuple[str, ...]] = set()  # what another experiment has planned too
        for line in lines:
            new = [job for job in combinations(line) if tuple(job) not in known]
            known.update(map(tuple, new))
            jobs += new
        return jobs

    def _planned(self, parser: OverridesParser, arguments: list[str]) -> list[tuple[list[str], list[str]]]:
        """Return what was typed with what an experiment plans: once, unless several plan something."""
        assert self.hydra_context is not None and self.config is not None
        typed = parser.parse_overrides(arguments)
        several = [n for n, one in enumerate(typed) if one.key_or_group == EXPERIMENT and one.is_sweep_override()]
        if not several:
            return [(arguments, self._parse_config())]
        (n,) = several[-1:]
        found = []
        for name in typed[n].sweep_string_iterator():
            line = [*arguments[:n], f"{EXPERIMENT}={name}", *arguments[n + 1 :]]
            try:
                config = self.hydra_context.config_loader.load_sweep_config(self.config, [line[n]])
            except ConfigCompositionException:  # there is none; the grid will say so
                return [(arguments, self._parse_config())]
            plan = config.hydra.sweeper.get("params") or {}
            found.append((line, [f"{key}={value}" for key, value in plan.items()]))
        return found if any(plan for _, plan in found) else [(arguments, self._parse_config())]


def merged(typed: list[Override], planned: list[Override]) -> list[Override]:
    """Join what was typed with the sweep that an experiment plans in `hydra.sweeper.params`.

    What is typed outranks it. An experiment that is made of others takes their place, though, as its
    own name is what was typed.
    """
    plans = {one.key_or_group for one in planned}
    typed = [one for one in typed if not (one.key_or_group == EXPERIMENT and EXPERIMENT in plans)]
    keys = {(one.key_or_group, one.package) for one in typed}
    return [*(one for one in planned if (one.key_or_group, one.package) not in keys), *typed]
