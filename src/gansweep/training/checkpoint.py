"""Checkpoints: tensors and plain values, whole or not there, the last one kept meanwhile."""

from __future__ import annotations

import io
import json
import logging
import os
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from gansweep.training import atomic

log = logging.getLogger(__name__)

NAME, PREVIOUS = "checkpoint.pt", "checkpoint.previous.pt"


class ResumeError(ValueError):
    """A checkpoint is there, but it belongs to another training."""


def save(directory: Path, identity: Mapping[str, Any], content: Mapping[str, Any]) -> None:
    """Write a checkpoint; the one before it stays until this one is complete.

    Args:
        directory: of the run.
        identity: what has to agree for the run to be continued.
        content: tensors, numbers, strings, and lists and dicts of them.

    Raises:
        OSError: it can't be written; what was there before still is.
    """
    buffer = io.BytesIO()
    torch.save({"identity": json.dumps(identity, sort_keys=True), **content}, buffer)
    path = directory / NAME
    if path.exists():
        atomic.write(directory / (NAME + ".new"), buffer.getvalue())
        os.replace(path, directory / PREVIOUS)
        os.replace(directory / (NAME + ".new"), path)
    else:
        atomic.write(path, buffer.getvalue())


def load(directory: Path, identity: Mapping[str, Any], device: torch.device) -> dict[str, Any] | None:
    """Read the newest whole checkpoint, None if there is none. Nothing in it is executed.

    A truncated or corrupt file is named in a warning, and the one before it is taken.

    Args:
        directory: of the run.
        identity: what has to agree with it.
        device: to put tensors on.

    Raises:
        ResumeError: it was made by another config, other data or other arithmetic.
    """
    for name in (NAME + ".new", NAME, PREVIOUS):
        path = directory / name
        if not path.exists():
            continue
        try:
            content = _read(path, device)
        except (
            OSError,
            ValueError,
            RuntimeError,
            KeyError,
            EOFError,
            pickle.UnpicklingError,
            zipfile.BadZipFile,
        ) as error:
            log.warning("%s can't be read (%s); trying the one before it", path, str(error).splitlines()[0])
            continue
        theirs = json.loads(content["identity"])
        differences = _differences(theirs, json.loads(json.dumps(identity, sort_keys=True)))
        if differences:
            raise ResumeError(
                f"{path} was made by another training and can't be continued: {'; '.join(differences)}. "
                "Run with fresh=true to put it aside and start over."
            )
        return content
    return None


def remove(directory: Path) -> None:
    """Delete the checkpoint that was kept while the last one was written."""
    (directory / PREVIOUS).unlink(missing_ok=True)


def _read(path: Path, device: torch.device) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        torn = archive.testzip()
    if torn is not None:
        raise ValueError(f"checksum of {torn} is wrong")
    return torch.load(path, map_location=device, weights_only=True)


def _differences(theirs: Any, ours: Any, key: str = "") -> list[str]:
    """List what differs, by dotted key, as `key: theirs, now ours`."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        names = sorted({*theirs, *ours})
        return [d for n in names for d in _differences(theirs.get(n), ours.get(n), f"{key}.{n}" if key else n)]
    return [] if theirs == ours else [f"{key} was {json.dumps(theirs)} and is now {json.dumps(ours)}"]
