"""Further metrics of finished cells, computed from their checkpoints and added to their records."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from gansweep import device as devices
from gansweep.config import build
from gansweep.config.errors import BadConfig, SettingError
from gansweep.interfaces import Metric
from gansweep.sweep import records
from gansweep.sweep.cell import Result
from gansweep.sweep.cell_lock import Claim
from gansweep.sweep.identity import canonical
from gansweep.sweep.metric_groups import mark
from gansweep.trained.cells import checkpoint_of, saved_member
from gansweep.training import record
from gansweep.training.evaluator import Evaluator, value_of
from gansweep.training.run import Run
from gansweep.training.trainer import pack_of

FIELD = "further_metrics"


class Taken(OSError):
    """The cell is locked by another process."""


@dataclass(frozen=True)
class Measurement:
    """A metric that is to be computed on a finished cell.

    Args:
        result: the cell.
        run: the run built from its configuration.
        metric: the metric.
        settings: the node of the configuration that the metric was built from.
    """

    result: Result
    run: Run
    metric: Metric
    settings: Mapping[str, Any]

    @property
    def is_known(self) -> bool:
        """Whether the record has a final value with this fingerprint at the last step."""
        content = records.read(self.result.cell.directory) or {}
        metrics = [content.get("metric"), content.get("metric_2"), *(content.get(FIELD) or [])]
        own, step = mark({"fingerprint": self.metric.fingerprint(self.run.data)}), content.get("steps")
        return any(metric and mark(metric) == own and metric.get("final_step") == step for metric in metrics)


def measurements(
    results: Sequence[Result],
    metrics: Sequence[Mapping[str, Any]],
    device: str | None = None,
    allow: Sequence[str] = (),
) -> list[Measurement]:
    """Return the measurements of finished cells, after checking all of them.

    Args:
        results: cells with a final checkpoint.
        metrics: nodes of the configuration.
        device: device; None for that of each cell. The latents of a CPU and of CUDA differ.
        allow: modules of user-defined classes.

    Raises:
        BadConfig: a configuration can't be built, or a metric does not fit the data; with all problems.
    """
    found, problems = [], list[SettingError]()
    for result in results:
        for settings in metrics:
            checked, key = _checked(result, settings, device, allow)
            problems += checked.problems
            if checked.run is not None:
                problems += build.absent(checked.run)
                found.append(Measurement(result, checked.run, getattr(checked.run, key), settings))
    if problems:
        raise BadConfig(problems)
    return found


def _checked(
    result: Result, settings: Mapping[str, Any], device: str | None, allow: Sequence[str]
) -> tuple[build.Checked, str]:
    """Build the run of a cell with a further metric; return it with the group of the metric.

    The metric replaces those of the cell, except that algorithms with one player require theirs.
    """
    config = {key: part for key, part in result.cell.config.items() if key != "metric_2"}
    trainer = {**(config.get("trainer") or {}), "compile": False}
    config |= {"allow": list(allow), "trainer": trainer, "metric": settings}
    config |= {} if device is None else {"device": device}
    checked = build.check(config)
    if checked.problems and getattr(checked.parts.get("algorithm"), "alone", False) and result.metric:
        second = build.check({**config, "metric": result.cell.config["metric"], "metric_2": settings})
        return second, "metric_2"
    return checked, "metric"


@devices.restored_matmul_precision()
def measured(measurement: Measurement) -> tuple[float, list[float | None] | None]:
    """Return the metric of the cell's final generator, on the latents of its evaluations, as `evaluator.value_of`.

    The value is NaN if the samples are not finite.

    Raises:
        ValueError: the cell has no final checkpoint.
    """
    result, run, metric = measurement.result, measurement.run, measurement.metric
    member = saved_member(result, checkpoint_of(result))
    pack = pack_of([run])
    try:
        # States of random streams are those of the device of the training, and are needed for training only.
        pack.restore(0, {**member, "streams": {}})
        fake = Evaluator(run).samples(pack, 0, metric, "evaluation")
        return (math.nan, None) if fake is None else value_of(metric, run.data, fake)
    finally:
        pack.release()


def add(measurement: Measurement, value: float, per_class: Sequence[float | None] | None = None) -> dict[str, Any]:
    """Add a value, and those of single classes, to the record of a cell, and return the new entry.

    All other fields remain as they are.

    Raises:
        Taken: the cell is locked by another process.
        ValueError: the record can't be read, or has changed since.
        OSError: it can't be written.
    """
    directory = measurement.result.cell.directory
    claim = Claim.acquire(directory)
    if claim is None:
        raise Taken("is locked by another process")

    def guard() -> None:
        if claim.is_lost():
            raise Taken("was taken over by another process")

    try:
        content = records.read(directory)
        if content is None or content["cell"]["hash"] != measurement.result.cell.hash:
            raise ValueError(f"{directory / record.NAME} was replaced during the measurement")
        entry = _entry(measurement, value) | ({} if per_class is None else {"per_class": list(per_class)})
        record.write(directory, {**content, FIELD: [*(content.get(FIELD) or []), entry]}, guard)
        return entry
    finally:
        claim.release(finished=True)


def _entry(measurement: Measurement, value: float) -> dict[str, Any]:
    run, metric = measurement.run, measurement.metric
    floor, finite = getattr(metric, "floor", None), math.isfinite(value)
    return {
        "name": metric.name,
        "fingerprint": metric.fingerprint(run.data),
        "generator": "raw" if run.member.ema is None else "ema",
        "lower_is_better": metric.lower_is_better,
        "floor": floor(run.data) if floor else None,
        "final": value if finite else None,
        "final_step": (measurement.result.record or {}).get("steps"),
        **({} if finite else {"reason": f"{metric.name} is {value}"}),
        "settings": canonical(measurement.settings),
        "measured": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "device": devices.describe(devices.resolve(run.device), run.precision, run.threads),
        "versions": record.versions(),
    }


def finished(results: Sequence[Result]) -> Iterator[tuple[Result, str]]:
    """Yield every cell with the reason why it can't be measured, "" if it can."""
    for result in results:
        try:
            checkpoint_of(result)
        except ValueError as error:
            yield result, str(error)
        else:
            yield result, ""
