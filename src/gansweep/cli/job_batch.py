"""Training of a batch of jobs for a sweeper that chooses them by the results of earlier ones, such as Optuna's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig

from gansweep.cli.compose import Composition
from gansweep.cli.job import Diverged, JobFailed, result
from gansweep.cli.sweeping import Multirun
from gansweep.config.errors import SettingError
from gansweep.sweep.identity import plain


def train_batch(
    loader: ConfigLoader, master: DictConfig, jobs: Sequence[Sequence[str]], first: bool
) -> list[JobReturn]:
    """Train a batch in this process and return one `JobReturn` per job.

    Raises:
        BadConfig: a job is not valid, or one of plan, seeds=auto, race, cells and hours is set.
        KeyboardInterrupt: the user asked to stop; finished and partial runs are saved.
    """
    multirun = Multirun(loader, master, jobs, here=True)
    for key in ("plan", "seeds", "race", "cells", "hours"):
        if multirun.config[key]:
            expected = "not supported by this sweeper, which chooses jobs by the results of earlier ones"
            raise SettingError(key, plain(multirun.config[key]), expected)
    multirun.begin(fresh=first and multirun.config["fresh"])
    outcome = multirun.train(announce=False)
    if outcome.interrupted:
        raise KeyboardInterrupt
    return [
        _job_return(composition, outcome.records.get(cell.hash))
        for cell, composition in zip(multirun.cells, multirun.compositions, strict=True)
    ]


def _job_return(composition: Composition, record: dict[str, Any] | None) -> JobReturn:
    overrides, cfg = composition.overrides, composition.task
    raise_divergence = composition.config["diverged"] == "raise"
    job_return = JobReturn(overrides=overrides, cfg=cfg, working_dir=str(Path.cwd()), task_name="gansweep")
    try:
        job_return.return_value, job_return.status = result(record, raise_divergence), JobStatus.COMPLETED
    except (JobFailed, Diverged) as error:
        job_return.return_value, job_return.status = error, JobStatus.FAILED
    return job_return
