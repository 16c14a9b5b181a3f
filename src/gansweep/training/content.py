"""Content of the record of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from gansweep import device as devices
from gansweep.interfaces import Metric
from gansweep.training import record

if TYPE_CHECKING:
    from gansweep.training.logbook import Logbook


def record_of(book: Logbook) -> dict[str, Any]:
    """Return the record of a run that has ended: settings, results, versions, hardware and times."""
    run, wall_s = book.run, book.elapsed()
    diagnostics = {} if run.trainer.diagnose_every is None else {"diagnostics": book.diagnoses}
    last = book.divergence.step if book.divergence else book.step  # a divergence may be detected later
    points = [point for point in book.kept if point["step"] <= last]
    metric = metric_2 = None
    if run.metric is not None:
        metric = _summary(book, run.metric, book.evaluations)
        metric |= {"evaluations": book.evaluations}
    if run.metric_2 is not None:
        values = [{"step": e["step"], "value": e.get("value_2")} for e in book.evaluations]
        metric_2 = {"metric_2": _summary(book, run.metric_2, values)}
    content = {
        "format": record.FORMAT,
        "state": "diverged" if book.divergence else "completed",
        "cell": dict(run.cell),
        "config": dict(run.config),
        "identity": dict(run.identity),
        "steps": book.step,
        "metric": metric,
        **(metric_2 or {}),
        **diagnostics,
        **({"curves": points} if points else {}),
        "divergence": book.divergence.as_dict() if book.divergence else None,
        "error": None,
        "seeds": {"member": run.member.seed},
        "versions": record.versions(),
        "device": devices.describe(book.device, run.precision, run.threads),
        "pack": {"members": book.num_together, **book.packing},
        "time": {
            "started": book.started,
            "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "wall_s": round(wall_s, 3),
            "steps_per_s": round(book.step / max(wall_s - book.eval_s, 1e-9), 3),
            "eval_s": round(book.eval_s, 3),
            **({"evaluations": book.trained_at} if book.trained_at else {}),
            "memory_bytes": devices.peak_memory_bytes(book.device),
        },
    }
    return record.in_json(content)


def _summary(book: Logbook, metric: Metric, evaluations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return name, fingerprint, floor and values of a metric."""
    floor = getattr(metric, "floor", None)
    content = {
        "name": metric.name,
        "fingerprint": metric.fingerprint(book.run.data),
        "generator": "raw" if book.run.member.ema is None else "ema",
        "lower_is_better": metric.lower_is_better,
        "floor": floor(book.run.data) if floor else None,
    } | record.summary(evaluations, metric.lower_is_better)
    return content | ({"final": None, "final_step": None} if book.divergence else {})
