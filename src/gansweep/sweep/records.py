"""Reading what runs have left, whatever state the files are in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gansweep.sweep import record_shape
from gansweep.text import visible
from gansweep.training import atomic, record


class UnreadableRecord(ValueError):
    """A file that is called like a record and can't be used as one."""

    def __init__(self, message: str) -> None:
        super().__init__(visible(message))


def read(directory: Path) -> dict[str, Any] | None:
    """Read a cell's record, None if there is none.

    Raises:
        UnreadableRecord: it is torn, something else, of a later version of gansweep, or contradicts itself.
    """
    path = directory / record.NAME
    try:
        content = json.loads(atomic.read(path))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UnreadableRecord(f"{path} can't be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UnreadableRecord(f"{path} is torn or not JSON: {error}") from error
    if not isinstance(content, dict) or type(content.get("format")) is not int:
        raise UnreadableRecord(f"{path} is not a record of gansweep")
    if content["format"] > record.FORMAT:
        raise UnreadableRecord(
            f"{path} has format {str(content['format'])[:20]}; this version of gansweep reads up to {record.FORMAT}"
        )
    try:
        record_shape.check(content)
    except (ValueError, RecursionError) as error:
        raise UnreadableRecord(f"{path} is not a whole record: {error}") from error
    metric = content.get("metric")
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
