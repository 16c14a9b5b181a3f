"""Train batches of jobs for an adaptive sweeper, such as Optuna's."""

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
    """Train a batch in this process and return one `JobReturn` per job.

    Args:
        loader: Hydra's config loader.
        master: the configuration of the command line.
        jobs: overrides of every job of the batch.
        first: True for the first batch of a sweep.

    Raises:
        BadConfig: a job is not valid, or plan=true or seeds=auto is set.
        KeyboardInterrupt: the user asked to stop; finished and partial runs are saved.
    """
    multirun = Multirun(loader, master, jobs, here=True)
    if multirun.config["plan"]:
        raise BadConfig(
            [Problem("plan", "=true: not supported by this sweeper, which chooses jobs by the results of earlier ones")]
        )
    if multirun.config["seeds"] is not None:
        raise BadConfig(
            [
                Problem(
                    "seeds", "=auto: not supported by this sweeper, which chooses jobs by the results of earlier ones"
                )
            ]
        )
    multirun.begin(fresh=first and multirun.config["fresh"])
    outcome = multirun.train(announce=False)
    if outcome.interrupted:
        raise KeyboardInterrupt
    return [
        _job_return(
            composition.overrides, composition.task, outcome.records.get(cell.hash), cell.config["diverged"] == "raise"
        )
        for cell, composition in zip(multirun.cells, multirun.compositions, strict=True)
    ]


def _job_return(
    overrides: list[str], task: DictConfig, record: dict[str, Any] | None, raise_divergence: bool
) -> JobReturn:
    job_return = JobReturn(overrides=overrides, cfg=task, working_dir=os.getcwd(), task_name="gansweep")
    try:
        job_return.return_value, job_return.status = result(record, raise_divergence), JobStatus.COMPLETED
    except (JobFailed, Diverged) as error:
        job_return.return_value, job_return.status = error, JobStatus.FAILED
    return job_return
