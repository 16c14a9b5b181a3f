"""Record of a run: one JSON file with settings, results, versions, hardware and times."""

from __future__ import annotations

import hashlib
import json
import math
import numbers
import os
import platform
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from json.encoder import encode_basestring_ascii
from pathlib import Path
from typing import Any

import gansweep
from gansweep.training import atomic

NAME, FORMAT = "record.json", 1
CHECKSUMS, HEX_DIGITS = "sha256", 16
SETTINGS = ("cell", "config", "identity", "fingerprint")  # parts of a record with settings, not measurements


@dataclass(frozen=True)
class Header:
    """Fields of a record that describe its cell.

    Args:
        cell: name, hash and overrides.
        config: the resolved configuration.
        identity: what determines the numbers of the run; a checkpoint is continued only if it has the same.
    """

    cell: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    identity: Mapping[str, Any] = field(default_factory=dict)


def write(directory: Path, record: Mapping[str, Any], guard: Callable[[], None] = atomic.unguarded) -> None:
    """Write record.json to a cell's directory atomically, with checksums of its fields; `guard` as in `atomic.write`.

    Raises:
        OSError: it can't be written.
    """
    content = in_json(record)
    text = json.dumps({**content, CHECKSUMS: checksums(content)}, indent=1, allow_nan=False)
    path = directory / NAME
    if path.is_dir():
        atomic.put_aside(path)
    atomic.write(path, text + "\n", guard)


def in_json(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record in JSON's types. JSON has no non-finite numbers.

    Non-finite measurements become null; non-finite settings become text, as in a cell's identity.

    >>> in_json({"config": {"eps": math.inf}, "steps": 3, "metric": {"floor": math.nan}})
    {'config': {'eps': 'inf'}, 'steps': 3, 'metric': {'floor': None}}
    """
    return _in_json(record, as_text=False)


def _in_json(value: Any, as_text: bool) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _in_json(inner, as_text or key in SETTINGS) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_in_json(inner, as_text) for inner in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, numbers.Real):  # includes numpy types
        value = float(value)
        return value if math.isfinite(value) else str(value) if as_text else None
    return str(value)


def checksums(content: Mapping[str, Any]) -> dict[str, str]:
    """Return the sha256 of every field of a record, truncated to 16 digits; nested keys are `metric.best` etc.

    >>> list(checksums({"steps": 8, "metric": {"name": "fid", "best": 1.0}, "error": None}))
    ['steps', 'metric.name', 'metric.best', 'error']
    """
    fields: dict[str, Any] = {}
    for key, value in content.items():
        nested = value if isinstance(value, dict) and value else None
        fields |= {key: value} if nested is None else {f"{key}.{name}": inner for name, inner in nested.items()}
    return {key: _KNOWN.get(type(value), _checksum)(value) for key, value in fields.items()}


_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def _checksum(value: Any) -> str:
    # The same text as of `_encode`, which is slow for the many short fields of a record.
    kind = type(value)
    if kind is str:
        text = encode_basestring_ascii(value)
    elif kind is int or (kind is float and math.isfinite(value)):
        text = repr(value)
    else:
        text = _encode(value)
    return hashlib.sha256(text.encode()).hexdigest()[:HEX_DIGITS]


# Most short fields are equal in all records of a sweep.
_KNOWN = dict.fromkeys((str, int, bool, type(None)), lru_cache(maxsize=4096, typed=True)(_checksum))


def versions() -> dict[str, str]:
    """Return the versions of Python and all packages that affect the numbers, and the commit in a checkout."""
    versions = {"gansweep": gansweep.__version__, "python": platform.python_version()}
    current_commit = commit()
    if current_commit is not None:
        versions["commit"] = current_commit
    for name in ("torch", "torchvision", "numpy", "hydra-core", "omegaconf", "tensorboard"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def is_best(value: float, evaluations: Sequence[Mapping[str, Any]], lower_is_better: bool = True) -> bool:
    """Return whether a value is better than all finite values after step 0.

    >>> is_best(2.0, [{"step": 0, "value": 1.0}, {"step": 5, "value": 3.0}])
    True
    """
    sign = 1 if lower_is_better else -1
    before = [e["value"] for e in evaluations if e["step"] > 0 and e["value"] is not None and math.isfinite(e["value"])]
    return math.isfinite(value) and all(sign * value < sign * other for other in before)


def summary(evaluations: Sequence[Mapping[str, Any]], lower_is_better: bool = True) -> dict[str, Any]:
    """Return the untrained, final and best values of a list of evaluations.

    `best` is the best value after step 0. `best_apart` is the holdout value of the same generator, measured with other
    latents: the best of several noisy values is biased, the holdout value is not. `final` and `best_apart` are means
    over several draws of latents where there are some (`eval_seeds`). Missing values are None.

    >>> summary([{"step": 0, "value": 9.0}, {"step": 5, "value": 2.0, "apart": 2.5}, {"step": 8, "value": 3.0}])
    {'untrained': 9.0, 'final': 3.0, 'final_step': 8, 'best': 2.0, 'best_step': 5, 'best_apart': 2.5}
    """
    first, last = evaluations[0], evaluations[-1]
    trained = [e for e in evaluations if e["step"] > 0 and e["value"] is not None and math.isfinite(e["value"])]
    best = (min if lower_is_better else max)(trained, key=lambda e: e["value"], default={"value": None, "step": None})
    return {
        "untrained": first["value"] if first["step"] == 0 else None,
        "final": _mean_of_draws(last, "draws", "value"),
        "final_step": last["step"],
        "best": best["value"],
        "best_step": best["step"],
        "best_apart": _mean_of_draws(best, "apart_draws", "apart"),
    }


def _mean_of_draws(evaluation: Mapping[str, Any], draws: str, value: str) -> float | None:
    """Return the mean of the draws of an evaluation, None if one is missing; without draws the value."""
    values = evaluation.get(draws)
    if not values:
        return evaluation.get(value)
    return None if any(one is None for one in values) else sum(values) / len(values)


def trained_s(record: Mapping[str, Any]) -> dict[int, float]:
    """Return the training time at every evaluation in seconds, by step.

    Evaluations, pictures and checkpoints are not included. For members of a pack it is the time of the pack. Older
    records hold the speed only; their steps are assumed to take equal time.

    >>> trained_s({"time": {"evaluations": [{"step": 0, "trained_s": 0.0}, {"step": 8, "trained_s": 2.5}]}})
    {0: 0.0, 8: 2.5}
    >>> trained_s({"time": {"steps_per_s": 4.0}, "metric": {"evaluations": [{"step": 0}, {"step": 8}]}})
    {0: 0.0, 8: 2.0}
    """
    times = record["time"].get("evaluations")
    if times is not None:
        return {entry["step"]: entry["trained_s"] for entry in times}
    speed = record["time"].get("steps_per_s")
    measured = (record.get("metric") or {}).get("evaluations", [])
    return {entry["step"]: entry["step"] / speed for entry in measured} if speed else {}


@cache
def commit() -> str | None:
    """Return the commit, with suffix `-dirty` if a tracked file was edited; None outside a checkout.

    A package installed inside the checkout of another project returns None too.
    """
    package = Path(__file__).resolve().parents[1]
    root = package.parents[1]
    if package.parent.name != "src" or not (root / ".git").exists():
        return None
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    describe = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        result = subprocess.run(describe, capture_output=True, text=True, check=True, timeout=10, env=environment)
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip() or None
