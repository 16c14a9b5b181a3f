"""Hydra's way to the sweeper that checks a whole grid first and prints a table last.

Hydra imports this at the start of every one of its applications: the work is in gansweep.cli.
"""

from __future__ import annotations

import sys
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser

from hydra_plugins.gansweep.local_launcher import TARGET

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
        from gansweep.cli.sweeping import Multirun

        assert self.hydra_context is not None and self.config is not None
        loader = self.hydra_context.config_loader
        overrides = OverridesParser.create(loader).parse_overrides([*self._parse_config(), *arguments])
        (jobs,) = self.split_arguments(overrides, None)
        # By name: Hydra 1.3 executes plugin modules once more, and their classes exist twice then.
        own = self.config.hydra.launcher["_target_"] == TARGET
        code = Multirun(loader, self.config, jobs, here=own).run(None if own else self.launcher)
        if code:
            sys.exit(code)
