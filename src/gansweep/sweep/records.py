"""Reading and validation of the records of runs: checksums, identity and metric summaries."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gansweep.formatting import visible
from gansweep.sweep.identity import canonical, digest, training_config
from gansweep.sweep.record_schema import check_shape
from gansweep.training import atomic, record


class UnreadableRecord(ValueError):
    """Raised for a record file that can't be used."""

    def __init__(self, message: str) -> None:
        super().__init__(visible(message))


def read(directory: Path) -> dict[str, Any] | None:
    """Return the record in a directory without its checksums, None if there is none.

    Raises:
        UnreadableRecord: the file is incomplete, not a record, of a later version of gansweep, edited, or inconsistent.
    """
    path = directory / record.NAME
    try:
        content = json.loads(atomic.read(path))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UnreadableRecord(f"{path} can't be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UnreadableRecord(f"{path} is incomplete or not valid JSON: {error}") from error
    if not isinstance(content, dict) or type(content.get("format")) is not int:
        raise UnreadableRecord(f"{path} is not a record of gansweep")
    if content["format"] > record.FORMAT:
        raise UnreadableRecord(
            f"{path} has format {str(content['format'])[:20]}; this version of gansweep reads up to {record.FORMAT}"
        )
    written = content.pop(record.CHECKSUMS, None)
    try:
        check_shape(content)
    except (ValueError, RecursionError) as error:
        raise UnreadableRecord(f"{path} is not a complete record: {error}") from error
    if written is not None:
        _compare(path, written, record.checksums(content))
    _verify_identity(path, content)
    metric = content.get("metric")
    if metric is not None:
        _verify_metrics(path, content)
    return content


def _compare(path: Path, written: Any, now: Mapping[str, str]) -> None:
    """Compare the checksums stored in a record with those of its current content.

    Raises:
        UnreadableRecord: a field was edited.
    """
    if not isinstance(written, dict):
        raise UnreadableRecord(
            f"{path} has {record.CHECKSUMS}={written!r}, expected a checksum by field; it was edited"
        )
    edited = [key for key in dict.fromkeys([*written, *now]) if written.get(key) != now.get(key)]
    if edited:
        raise UnreadableRecord(f"{path} was edited: {', '.join(edited)} can't be trusted, so the record is not used")


def _verify_identity(path: Path, content: Mapping[str, Any]) -> None:
    """Compare the hash of a record with its identity, and the identity with the config.

    The settings in an identity differ between versions of gansweep, so only common settings are compared.

    Raises:
        UnreadableRecord: they are inconsistent.
    """
    identity, cell = content["identity"], content["cell"]
    try:
        hash_, now = digest(identity), training_config(content["config"])
    except (ValueError, TypeError) as error:
        raise UnreadableRecord(f"{path} has an identity that can't be hashed: {error}") from error
    if hash_ != cell["hash"]:
        raise UnreadableRecord(f"{path} was edited: the hash of its identity is {hash_}, and cell.hash {cell['hash']}")
    key = _difference(canonical(identity.get("config", {})), now, "config")
    if key:
        raise UnreadableRecord(f"{path} was edited: {key} differs between config and identity")


def _difference(first: Any, second: Any, key: str) -> str:
    """Return the first dotted key at which two configs differ, "" if all common keys are equal."""
    if first == second:  # fast; the keys are only needed for the message
        return ""
    if isinstance(first, dict) and isinstance(second, dict):
        inner = (_difference(first[name], second[name], f"{key}.{name}") for name in first if name in second)
        return next(filter(None, inner), "")
    return key


def _verify_metrics(path: Path, content: Mapping[str, Any]) -> None:
    """Compare the metric summaries of a record with its evaluations.

    Raises:
        UnreadableRecord: they are inconsistent.
    """
    evaluations, second = content["metric"]["evaluations"], content.get("metric_2")
    _verify_summary(path, "metric", content["metric"], evaluations, content["state"])
    if isinstance(second, dict):
        try:
            values = [{"step": e["step"], "value": e.get("value_2")} for e in evaluations]
        except (LookupError, TypeError, AttributeError) as error:
            raise UnreadableRecord(f"{path} has invalid evaluations: {error!r}") from error
        _verify_summary(path, "metric_2", second, values, content["state"])


def _verify_summary(
    path: Path, name: str, metric: Mapping[str, Any], evaluations: Sequence[Mapping[str, Any]], state: str
) -> None:
    try:
        summary = record.summary(evaluations, lower := bool(metric.get("lower_is_better", True)))
        measured = [(e["step"], e["value"]) for e in evaluations]
    except (LookupError, TypeError, AttributeError) as error:
        raise UnreadableRecord(f"{path} has invalid evaluations: {error!r}") from error
    if state in ("diverged", "dropped"):
        summary |= {"final": None, "final_step": None}
    if not lower and (metric.get("best_step"), metric.get("best")) in measured:
        # Earlier versions stored the lowest value as the best.
        summary |= {key: metric.get(key) for key in ("best", "best_step", "best_apart")}
    for key, value in summary.items():
        # Earlier versions did not write all fields.
        if metric.get(key) != value and (key in metric or key in ("untrained", "final", "best")):
            raise UnreadableRecord(
                f"{path} was edited: {name}.{key} is {metric.get(key)}, but {value} by its evaluations"
            )


def directories(root: Path) -> Iterator[Path]:
    """Yield the cell directories of a sweep that contain a record, sorted by name.

    Raises:
        OSError: the sweep can't be listed.
    """
    for entry in sorted(root.iterdir()):
        if not entry.name.startswith(".") and (entry / record.NAME).exists():
            yield entry
