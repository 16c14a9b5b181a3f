"""Contents of a sweep without parts that differ between two equal sweeps."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import torch

BY_THE_CLOCK = ("wall_s", "steps_per_s")


def records(sweep: Path) -> dict[str, str]:
    """Return the text of every record by cell, without times and pack."""
    texts = {}
    for path in sorted(sweep.glob("*/record.json")):
        record = json.loads(path.read_text())
        del record["sha256"]  # includes the times
        for node, key in (
            (record, "time"),
            (record, "pack"),
            (record["config"], "workers"),
            (record["config"], "pack"),
        ):
            node.pop(key, None)
        texts[path.parent.name] = json.dumps(record, indent=1)
    return texts


def finals(sweep: Path) -> dict[str, Any]:
    """Return the member of the last checkpoint of every cell."""
    return {
        path.parent.name: _plain(torch.load(path, weights_only=True)["member"])
        for path in sorted(sweep.glob("*/checkpoint.pt"))
    }


def rows(sweep: Path) -> list[dict[str, str]]:
    """Return results.csv without times."""
    with (sweep / "results.csv").open() as file:
        return [{key: value for key, value in row.items() if key not in BY_THE_CLOCK} for row in csv.DictReader(file)]


def curves(sweep: Path) -> dict[str, dict[str, list[tuple[int, str]]]]:
    """Return every point of every curve in the order in which TensorBoard shows them; as text, where NaN equals NaN."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = {}
    for directory in sorted(path.parent for path in sweep.glob("*/record.json")):
        events = EventAccumulator(str(directory), size_guidance={"scalars": 0})
        events.Reload()
        found[directory.name] = {
            tag: [(event.step, repr(event.value)) for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]
        }
    return found


def leftovers(sweep: Path) -> list[str]:
    """List files that only unfinished cells have. Drafts of claims are ignored."""
    return [path.name for path in sweep.glob("*/.*") if path.is_file() and not path.name.startswith(".draft.")]


def _plain(node: Any) -> Any:
    if isinstance(node, torch.Tensor):
        return node.tolist()
    if isinstance(node, dict):
        return {key: _plain(value) for key, value in node.items()}
    return [_plain(value) for value in node] if isinstance(node, (list, tuple)) else node
