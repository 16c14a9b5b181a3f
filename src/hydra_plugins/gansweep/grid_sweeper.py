"""Hydra's way to the sweeper that checks a whole grid first and prints a table last.

Hydra imports this at the start of every one of its applications: the work is in gansweep.cli.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override

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

    def sweep(self, arguments: list[str]) -> Any:
        """Train every combination, and end the process unless all of them have a result."""
        from gansweep.cli.racing import Racing
        from gansweep.cli.sweeping import Multirun

        assert self.hydra_context is not None and self.config is not None
        loader = self.hydra_context.config_loader
        parser = OverridesParser.create(loader)
        typed, planned = parser.parse_overrides(arguments), parser.parse_overrides(self._parse_config())
        overrides = merged(typed, planned)
        (jobs,) = self.split_arguments(overrides, None)
        # By name: Hydra 1.3 executes plugin modules once more, and their classes exist twice then.
        own = self.config.hydra.launcher["_target_"] == TARGET
        multirun: Multirun | Racing = Multirun(loader, self.config, jobs, here=own)
        if multirun.config["seeds"] == "auto":
            multirun = Racing(multirun, partial(Multirun, loader, self.config, here=own))
        code = multirun.run(None if own else self.launcher)
        if code:
            sys.exit(code)


def merged(typed: list[Override], planned: list[Override]) -> list[Override]:
    """Join what was typed with the sweep that an experiment plans in `hydra.sweeper.params`.

    What is typed outranks it. An experiment that is made of others takes their place, though, as its
    own name is what was typed.
    """
    plans = {one.key_or_group for one in planned}
    typed = [one for one in typed if not (one.key_or_group == EXPERIMENT and EXPERIMENT in plans)]
    said = {one.key_or_group for one in typed}
    return [*(one for one in planned if one.key_or_group not in said), *typed]
