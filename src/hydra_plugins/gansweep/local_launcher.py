"""Hydra's way to the launcher that trains cells in packs: hydra/launcher=fused.

It does so on this machine, or on several that another engine lends (`backend`).

Hydra imports this at the start of every one of its applications: the work is in gansweep.cli.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

TARGET = "hydra_plugins.gansweep.local_launcher.LocalLauncher"
NODE = {
    "_target_": TARGET,
    "backend": "local",  # local | submitit | ray
    # Of the other backends: how many tasks, each a machine or a GPU of its own, and what each needs.
    "tasks": 1,
    "cpus": 1,
    "gpus": 0,
    # What the backend itself is told: submitit's AutoExecutor, ray.init and ray.remote.
    "submitit": {"cluster": None, "timeout_min": 240, "mem_gb": None, "slurm_partition": None},
    "ray": {"init": {"address": None}, "remote": {}},
}
for name in ("gansweep_local", "fused"):  # the default, and the name to ask for it beside another default
    ConfigStore.instance().store(name, NODE, group="hydra/launcher", provider="gansweep")


class LocalLauncher(Launcher):
    """Checks all jobs of a batch, then trains those together that can share a pack."""

    def __init__(self, **settings: Any) -> None:
        """Leave the settings in the configuration, where the work looks them up."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what Hydra hands over."""
        self.loader, self.config = hydra_context.config_loader, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Train a batch for a sweeper that asks for results, such as Optuna's."""
        from gansweep.cli.batch import launch

        return launch(self.loader, self.config, job_overrides, first=initial_job_idx == 0)
