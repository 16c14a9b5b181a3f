"""Hydra launcher that trains cells in packs: hydra/launcher=fused.

It trains on this machine, or on the machines of a `backend`.

Hydra imports this module at the start of every Hydra application, so it only refers to gansweep.cli.
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
    # For the other backends: number of tasks, each with its own machine or GPU, and resources per task.
    "tasks": 1,
    "cpus": 1,
    "gpus": 0,
    # Backend-specific settings: arguments of submitit's AutoExecutor, of ray.init and of ray.remote.
    "submitit": {"cluster": None, "timeout_min": 240, "mem_gb": None, "slurm_partition": None},
    "ray": {"init": {"address": None}, "remote": {}},
}
for name in ("gansweep_local", "fused"):  # the default, and its public name
    ConfigStore.instance().store(name, NODE, group="hydra/launcher", provider="gansweep")


class LocalLauncher(Launcher):
    """Launcher that checks all jobs of a batch, then trains them in packs."""

    def __init__(self, **settings: Any) -> None:
        """Ignore the settings; they are read from the configuration."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Store the config loader and the configuration."""
        self.loader, self.config = hydra_context.config_loader, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Train a batch for an adaptive sweeper, such as Optuna's, and return its results."""
        from gansweep.cli.job_batch import train_batch

        return train_batch(self.loader, self.config, job_overrides, first=initial_job_idx == 0)
