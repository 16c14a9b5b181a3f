"""Trackio."""

from __future__ import annotations

import contextvars
import io
import json
import re
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansweep.interfaces import LoggedRun
from gansweep.loggers import RESULTS, locked, over_seeds, pixels, require
from gansweep.training import atomic

if TYPE_CHECKING:
    from torch import Tensor

MEAN = "mean over seeds"  # group of the runs with the means


@dataclass(frozen=True)
class Trackio:
    """Curves, pictures, settings and results in Trackio; `trackio show` opens them.

    The seeds of a configuration have the same group. The group `mean over seeds` has a run of each configuration with
    the mean and the sample standard deviation of the final and the best values, at step n for n seeds.

    Args:
        project: project; null: the name of the sweep.
        space_id: a Space of Hugging Face that is uploaded to; null: the files of this machine only.
    """

    project: str | None = None
    space_id: str | None = None

    def __post_init__(self) -> None:
        require("trackio", "trackio")

    def open(self, run: LoggedRun) -> TrackioRun:
        """Return the run of Trackio with the name of the cell, a new one if there is none."""
        return TrackioRun(run, self.project or project_of(run.sweep), self.space_id)


class TrackioRun:
    """One run of Trackio.

    Args:
        run: the run.
        project: name of the project.
        space_id: a Space of Hugging Face, None for this machine only.
    """

    def __init__(self, run: LoggedRun, project: str, space_id: str | None) -> None:
        self.about = run
        self.to: dict[str, Any] = {"project": project, "space_id": space_id}
        self.run = opened(**self.to, name=run.name, group=run.group, config=dict(run.settings))

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Add one point to each curve."""
        self.run.log(dict(values), step=step)

    def picture(self, tag: str, picture: Tensor, step: int) -> None:
        """Add a picture (3, h, w) in [0, 1]."""
        trackio = import_module("trackio")
        self.run.log({tag: trackio.Image(pixels(picture))}, step=step)

    def close(self, record: Mapping[str, Any] | None) -> None:
        """Write the results of the run, and the mean and deviation over the seeds of its configuration."""
        if record is None:
            silently(self.run.finish)
            return
        metric = record["metric"] or {}
        values = {name: metric[name] for name in RESULTS if metric.get(name) is not None}
        if values:
            self.run.log({f"result/{name}": value for name, value in values.items()}, step=record["steps"])
        silently(self.run.finish)
        folder = self.about.directory.parent
        with locked(folder / ".trackio.lock"):
            seeds = seeds_with(folder / f".trackio.{self.about.group}.json", self.about.name, values)
            mean = opened(**self.to, name=self.about.group, group=MEAN, config={"seeds": len(seeds)})
            mean.log(means(seeds), step=len(seeds))
            silently(mean.finish)


def opened(**arguments: Any) -> Any:
    """Return a new or resumed run. Several are open at the same time, which `trackio.init` allows in other contexts."""
    trackio = import_module("trackio")

    def init() -> Any:
        return trackio.init(**arguments, resume="allow", embed=False, auto_log_gpu=False, auto_log_cpu=False)

    return contextvars.Context().run(silently, init)


def silently(call: Callable[[], Any]) -> Any:
    """Return the result of a call without its output on the terminal."""
    with redirect_stdout(io.StringIO()):
        return call()


def seeds_with(path: Path, name: str, values: Mapping[str, float]) -> list[dict[str, float]]:
    """Add the results of a run to the file of its configuration, and return those of all its seeds."""
    seeds = json.loads(path.read_text()) if path.is_file() else {}
    seeds[name] = dict(values)
    atomic.write(path, json.dumps(seeds))
    return list(seeds.values())


def means(seeds: list[dict[str, float]]) -> dict[str, float]:
    """Return the means and sample standard deviations of the results of all seeds.

    >>> means([{"final": 1.0}, {"final": 3.0}, {}])["result/final mean"]
    2.0
    """
    return {key: value for name in RESULTS for key, value in over_seeds(name, (s.get(name) for s in seeds)).items()}


def project_of(sweep: str) -> str:
    """Return the name of a sweep with the characters that Trackio accepts.

    >>> project_of("lr=0.1,0.2")
    'lr-0.1-0.2'
    """
    return re.sub(r"[^\w.-]+", "-", sweep).strip("-.") or "gansweep"
