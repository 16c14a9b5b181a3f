"""Reading what runs have left, whatever state the files are in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gansweep.training import record

STATES = ("completed", "diverged", "failed")
PARTS = ("cell", "config", "identity", "time")


class UnreadableRecord(ValueError):
    """A file that is called like a record and can't be used as one."""


def read(directory: Path) -> dict[str, Any] | None:
    """Read a cell's record, None if there is none.

    Raises:
        UnreadableRecord: it is torn, something else, of a later version of gansweep, or contradicts itself.
    """
    path = directory / record.NAME
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UnreadableRecord(f"{path} can't be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UnreadableRecord(f"{path} is torn or not JSON: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise UnreadableRecord(f"{path} is not a record of gansweep")
    if content["format"] > record.FORMAT:
        raise UnreadableRecord(
            f"{path} has format {content['format']}; this version of gansweep reads up to {record.FORMAT}"
        )
    if content.get("state") not in STATES or not all(isinstance(content.get(key), dict) for key in PARTS):
        raise UnreadableRecord(f"{path} lacks parts of a record")
    cell, metric = content["cell"], content.get("metric")
    if not isinstance(cell.get("hash"), str) or not isinstance(cell.get("overrides"), dict):
        raise UnreadableRecord(f"{path} doesn't say which cell it is of")
    if metric is not None and not (isinstance(metric, dict) and isinstance(metric.get("evaluations"), list)):
        raise UnreadableRecord(f"{path} has a metric without evaluations")
    if metric is not None:
        _believe(path, metric, diverged=content["state"] == "diverged")
    return content


def _believe(path: Path, metric: Mapping[str, Any], diverged: bool) -> None:
    """Compare what a record says about its evaluations with them.

    Raises:
        UnreadableRecord: it was edited.
    """
    try:
        found = record.summary(metric["evaluations"], lower := bool(metric.get("lower_is_better", True)))
        measured = [(e["step"], e["value"]) for e in metric["evaluations"]]
    except (LookupError, TypeError, AttributeError) as error:
        raise UnreadableRecord(f"{path} has evaluations that are none: {error!r}") from error
    if diverged:
        found |= {"final": None, "final_step": None}
    if not lower and (metric.get("best_step"), metric.get("best")) in measured:
        found |= {"best": metric["best"]}  # the lowest, in records of earlier versions
    for name in ("untrained", "final", "best"):
        if metric.get(name) != found[name]:
            raise UnreadableRecord(
                f"{path} says {name} {metric.get(name)}, but its evaluations say {found[name]}; it is not believed"
            )


def directories(root: Path) -> Iterator[Path]:
    """List the cells' directories of a sweep that have a record, by name.

    Raises:
        OSError: the sweep can't be listed.
    """
    for entry in sorted(root.iterdir()):
        if not entry.name.startswith(".") and (entry / record.NAME).exists():
            yield entry
