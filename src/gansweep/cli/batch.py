"""Batches of jobs for a sweeper that chooses the next ones by the results of the last."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig

from gansweep.cli.sweeping import Multirun
from gansweep.cli.task import Diverged, JobFailed, result
from gansweep.config.errors import BadConfig, Problem


def launch(loader: ConfigLoader, master: DictConfig, jobs: Sequence[Sequence[str]], first: bool) -> list[JobReturn]:
    """Train a batch in this process and return what Hydra wants to know of every job.

    Args:
        loader: Hydra's.
        master: the configuration of the command line.
        jobs: the overrides of every job of the batch.
        first: it is the first batch of its sweep.

    Raises:
        BadConfig: a job can't be trained.
        KeyboardInterrupt: somebody asked to stop; what was trained is saved.
    """
    multirun = Multirun(loader, master, jobs, here=True)
    if multirun.config["plan"]:
        raise BadConfig([Problem("plan", "=true: this sweeper chooses its jobs by their results; there is no plan")])
    if multirun.config["seeds"] is not None:
        raise BadConfig([Problem("seeds", "=auto: this sweeper chooses its jobs by their results")])
    multirun.begin(fresh=first and multirun.config["fresh"])
    outcome = multirun.train(announce=False)
    if outcome.interrupted:
        raise KeyboardInterrupt
    return [
        _told(
            composition.overrides, composition.task, outcome.records.get(cell.hash), cell.config["diverged"] == "raise"
        )
        for cell, composition in zip(multirun.cells, multirun.compositions, strict=True)
    ]


def _told(overrides: list[str], task: DictConfig, record: dict[str, Any] | None, raise_divergence: bool) -> JobReturn:
    told = JobReturn(overrides=overrides, cfg=task, working_dir=os.getcwd(), task_name="gansweep")
    try:
        told.return_value, told.status = result(record, raise_divergence), JobStatus.COMPLETED
    except (JobFailed, Diverged) as error:
        told.return_value, told.status = error, JobStatus.FAILED
    return told
