"""MLflow."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansweep.interfaces import LoggedRun
from gansweep.loggers import RESULTS, locked, over_seeds, pixels, require

if TYPE_CHECKING:
    from torch import Tensor

FOLDER, DATABASE, LOCK = "mlflow", "mlflow.db", ".lock"
CELL, GROUP, PARENT, NAME = "gansweep.cell", "gansweep.group", "mlflow.parentRunId", "mlflow.runName"
MAX_PENDING = 1000  # entries of one `log_batch`
MAX_PARAM = 6000  # characters


@dataclass(frozen=True)
class MLflow:
    """Curves, pictures, settings and results in MLflow.

    A sweep is an experiment. A configuration is a parent run with the mean and the sample standard deviation of the
    final and the best values over its seeds; each seed is a run below it.

    Args:
        uri: tracking URI, as http://localhost:5000; null: the SQLite file mlflow/mlflow.db beside the sweeps, shown by
            `mlflow ui --backend-store-uri sqlite:///outputs/mlflow/mlflow.db`.
        experiment: name of the experiment; null: the name of the sweep.
    """

    uri: str | None = None
    experiment: str | None = None

    def __post_init__(self) -> None:
        require("mlflow", "mlflow")

    def open(self, run: LoggedRun) -> MLflowRun:
        """Return the run of MLflow with the name of the cell, a new one if there is none."""
        return MLflowRun(run, self.uri, self.experiment or run.sweep)


class MLflowRun:
    """One run of MLflow. Processes of one machine write one after the other.

    Args:
        run: the run.
        uri: tracking URI; None for the SQLite file.
        experiment: name of the experiment.
    """

    def __init__(self, run: LoggedRun, uri: str | None, experiment: str) -> None:
        client = import_module("mlflow").MlflowClient

        folder = run.directory.resolve().parents[1] / FOLDER
        self.lock = folder / LOCK
        self._pending: list[Any] = []
        with locked(self.lock):
            self.client = client(tracking_uri=uri or f"sqlite:///{folder / DATABASE}")
            self.experiment = self._experiment(experiment, None if uri else folder / "artifacts")
            self.parent = self._run({GROUP: run.group, NAME: run.group}, GROUP)
            self.id = self._run({CELL: run.name, NAME: run.name, PARENT: self.parent}, CELL)
            self._params(run.settings)

    def _experiment(self, name: str, artifacts: Path | None) -> str:
        """Return the id of an experiment, a new one if there is none of this name."""
        found = self.client.get_experiment_by_name(name)
        location = artifacts and artifacts.as_uri()
        return found.experiment_id if found else self.client.create_experiment(name, location)

    def _run(self, tags: dict[str, str], key: str) -> str:
        """Return the id of the run with a tag, a new one if there is none."""
        found = self.client.search_runs([self.experiment], f"tags.`{key}` = '{tags[key]}'", max_results=1)
        run_id = found[0].info.run_id if found else self.client.create_run(self.experiment, tags=tags).info.run_id
        self.client.update_run(run_id, "RUNNING")
        return run_id

    def _params(self, settings: Mapping[str, Any]) -> None:
        """Write the settings as parameters of the run."""
        param = import_module("mlflow.entities").Param

        params = [param(key_of(key), str(value)[:MAX_PARAM]) for key, value in settings.items()]
        self.client.log_batch(self.id, params=params)

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Add one point to each curve."""
        metric = import_module("mlflow.entities").Metric

        now = int(time.time() * 1000)
        self._pending += [metric(key_of(tag), value, now, step) for tag, value in values.items()]
        if len(self._pending) >= MAX_PENDING:
            self.flush()

    def picture(self, tag: str, picture: Tensor, step: int) -> None:
        """Add a picture (3, h, w) in [0, 1]."""
        with locked(self.lock):
            self.client.log_image(self.id, pixels(picture), f"{key_of(tag)}/step_{step:07d}.png")

    def flush(self) -> None:
        """Write all points."""
        with locked(self.lock):
            while self._pending:
                self.client.log_batch(self.id, metrics=self._pending[:MAX_PENDING])
                del self._pending[:MAX_PENDING]

    def close(self, record: Mapping[str, Any] | None) -> None:
        """Write the results of the run, and the mean and deviation over the seeds of its configuration."""
        self.flush()
        with locked(self.lock):
            if record is None:
                self.client.set_terminated(self.id, "KILLED")
                return
            self.client.set_tag(self.id, "gansweep.state", record["state"])
            for name in RESULTS:
                value = (record["metric"] or {}).get(name)
                if value is not None:
                    self.client.log_metric(self.id, f"result/{name}", value, step=0)
            self.client.set_terminated(self.id)
            self._mean_over_seeds()

    def _mean_over_seeds(self) -> None:
        seeds = self.client.search_runs([self.experiment], f"tags.`{PARENT}` = '{self.parent}'")
        for name in RESULTS:
            numbers = over_seeds(name, (seed.data.metrics.get(f"result/{name}") for seed in seeds))
            for key, value in numbers.items():
                self.client.log_metric(self.parent, key, value, step=int(numbers[f"result/{name} n"]))
        if all(seed.info.status != "RUNNING" for seed in seeds):
            self.client.set_terminated(self.parent)


def key_of(name: str) -> str:
    """Return a name with the characters that MLflow accepts.

    >>> key_of("optimizer@optimizer_d"), key_of("gradient norm/generator")
    ('optimizer.optimizer_d', 'gradient norm/generator')
    """
    return re.sub(r"[^\w\-. /]", "", name.replace("@", "."))
