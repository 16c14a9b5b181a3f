"""Hydra's way to the launcher that trains cells on this machine, in packs and processes: hydra/launcher=fused.

Hydra imports this at the start of every one of its applications: the work is in gansweep.cli.
"""

from __future__ import annotations

from collections.abc import Sequence

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

TARGET = "hydra_plugins.gansweep.local_launcher.LocalLauncher"
for name in ("gansweep_local", "fused"):  # the default, and the name to ask for it beside another default
    ConfigStore.instance().store(name, {"_target_": TARGET}, group="hydra/launcher", provider="gansweep")


class LocalLauncher(Launcher):
    """Checks all jobs of a batch, then trains those together that can share a pack."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what Hydra hands over."""
        self.loader, self.config = hydra_context.config_loader, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Train a batch for a sweeper that asks for results, such as Optuna's."""
        from gansweep.cli.batch import launch

        return launch(self.loader, self.config, job_overrides, first=initial_job_idx == 0)
