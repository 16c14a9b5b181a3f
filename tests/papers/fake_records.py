"""Records of runs that never took place, for tests of comparisons."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from gansweep.papers.runs import Run
from gansweep.report import markdown
from gansweep.section import Section
from gansweep.sweep.cell import Result
from gansweep.sweep.identity import digest, identity
from gansweep.training.record import FORMAT, summary

DIVERGENCE = {"step": 1, "player": "generator", "cause": "loss is not finite"}


def record(
    experiment: str,
    values: dict[int, float],
    *,
    overrides: dict[str, Any] | None = None,
    diverged: bool = False,
    metric: str = "w1",
    data: str = "content of the data",
    code: dict[str, str] | None = None,
    fingerprint: dict[str, Any] | None = None,
    **config: Any,
) -> dict[str, Any]:
    """Return a record that `gansweep.sweep.records.read` accepts.

    Args:
        experiment: name of the experiment.
        values: metric by step; the length of the run is the last step unless `steps` is given.
        overrides: other choices on the command line.
        diverged: whether the run diverged.
        metric: name of the metric.
        data: hash of the data.
        code: hashes of changed code.
        fingerprint: of the metric.
        **config: settings; by default seed 0 and lr 1e-4.
    """
    config = {"seed": 0, "lr": 1e-4, "steps": max(values), **config}
    evaluations = [{"step": step, "value": value} for step, value in values.items()]
    who = identity(config, data, "2", code)
    return {
        "format": FORMAT,
        "state": "diverged" if diverged else "completed",
        "cell": {"name": "x", "hash": digest(who), "overrides": {"experiment": experiment, **(overrides or {})}},
        "config": config,
        "identity": who,
        "steps": config["steps"],
        "time": {"steps_per_s": 2.0, "wall_s": 7200.0},
        "divergence": DIVERGENCE if diverged else None,
        "metric": {
            "name": metric,
            "lower_is_better": True,
            "fingerprint": {"metric": metric} if fingerprint is None else fingerprint,
            "evaluations": evaluations,
            **summary(evaluations),
            **({"final": None, "final_step": None} if diverged else {}),
        },
    }


def run(*args: Any, **kwargs: Any) -> Run:
    """Return a run with such a record."""
    return run_of(record(*args, **kwargs))


def run_of(content: dict[str, Any], directory: Path = Path("x")) -> Run:
    """Return the run of a record."""
    result = Result.of(directory, content)
    return Run(result.cell, result.state, content)


def write(sweep: Path, records: dict[str, dict[str, Any]]) -> Path:
    """Write the records of the cells of a sweep, by name, and return its directory."""
    for name, content in records.items():
        (sweep / name).mkdir(parents=True, exist_ok=True)
        (sweep / name / "record.json").write_text(json.dumps(content))
    return sweep


def text_of(section: Section) -> str:
    """Return a section as Markdown with single spaces."""
    return re.sub(" +", " ", markdown.write(section.blocks))
