"""Checkpoints: tensors and plain values, whole or not there, the last one kept meanwhile."""

from __future__ import annotations

import errno
import io
import json
import logging
import math
import os
import pickle
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from gansweep.training import atomic

log = logging.getLogger(__name__)

NAME, PREVIOUS = "checkpoint.pt", "checkpoint.previous.pt"


# The fields of a checkpoint and their types; earlier versions did not write the last ones.
FIELDS = {
    "member": dict,
    "evaluations": list,
    "started": str,
    "wall_s": (int, float),
    "eval_s": (int, float),
    "trained_s": (int, float),
    "trained_at": list,
    "curves": list,
    "diagnoses": list,
    "field": list,
}
LATER = ("trained_s", "trained_at", "curves", "diagnoses", "field")


class Unusable(ValueError):
    """A checkpoint whose content is not what a run reads."""


class ResumeError(ValueError):
    """A checkpoint is there, but it belongs to another training."""


def save(
    directory: Path,
    identity: Mapping[str, Any],
    content: Mapping[str, Any],
    guard: Callable[[], None] = atomic.unguarded,
) -> None:
    """Write a checkpoint; the one before it stays until this one is complete.

    Args:
        directory: of the run.
        identity: what has to agree for the run to be continued.
        content: tensors, numbers, strings, and lists and dicts of them.
        guard: called before a file gets its name; raises if this process must not write there any more.

    Raises:
        OSError: it can't be written; what was there before still is.
    """
    buffer = io.BytesIO()
    torch.save({"identity": json.dumps(identity, sort_keys=True), **content}, buffer)
    path = directory / NAME
    if path.exists():
        atomic.write(directory / (NAME + ".new"), buffer.getvalue(), guard)
        os.replace(path, directory / PREVIOUS)
        os.replace(directory / (NAME + ".new"), path)
    else:
        atomic.write(path, buffer.getvalue(), guard)


def load(
    directory: Path,
    identity: Mapping[str, Any],
    device: torch.device,
    resumable: Callable[[Mapping[str, Any]], None] = lambda content: None,
) -> dict[str, Any] | None:
    """Read the newest usable checkpoint, None if there is none. Nothing in it is executed.

    One that can't be read or used is named in a warning and renamed, and the one before it is taken.

    Args:
        directory: of the run.
        identity: what has to agree with it.
        device: to put tensors on.
        resumable: raises if a run can't go on from its content.

    Raises:
        ResumeError: it was made by another config, other data or other arithmetic.
        MemoryError, RuntimeError: there is not enough memory to read it.
    """
    content = None
    for name in (NAME + ".new", NAME, PREVIOUS):
        path = directory / name
        if not os.path.lexists(path) or (content is not None and path.is_file()):
            continue
        try:
            found = _read(path, device)
            _refuse_other(path, found, identity)
            resumable(found)
        except ResumeError:
            raise
        except Exception as error:
            if _is_shortage(error):
                raise
            aside = atomic.put_aside(path)
            log.warning("%s can't be used: %s; renamed to %s", path, _reason(error), aside.name)
        else:
            content = found if content is None else content
    return content


def check(content: Mapping[str, Any], total_steps: int, fresh: Mapping[str, Any]) -> None:
    """Compare a checkpoint's content with what a run reads of it.

    Args:
        content: of the file.
        total_steps: of the run.
        fresh: an exported member of such a run, before its first step.

    Raises:
        Unusable: something is missing or of another type.
    """
    for key, kinds in FIELDS.items():
        value = content.get(key)
        if not isinstance(value, kinds) and not (value is None and key in LATER):
            raise Unusable(f"{key} is missing or of another type")
        if isinstance(value, float) and not math.isfinite(value):
            raise Unusable(f"{key} is {value}")
    for key in ("evaluations", "trained_at", "curves", "diagnoses"):
        for entry in content.get(key) or ():
            if not isinstance(entry, dict) or type(entry.get("step")) is not int:
                raise Unusable(f"{key} has an entry without a step")
    if any(not isinstance(entry.get("value", ""), (float, type(None))) for entry in content["evaluations"]):
        raise Unusable("evaluations has an entry without a value")
    member = content["member"]
    if type(member.get("step")) is not int or not 0 <= member["step"] <= total_steps:
        raise Unusable(f"member.step is {member.get('step')}, of {total_steps}")
    _compare(member, fresh, "member")


def _compare(saved: Any, fresh: Any, where: str) -> None:
    """Compare types and shapes of what both have. What only one has is left to those who restore it."""
    if isinstance(fresh, Mapping) and isinstance(saved, Mapping):
        for key in saved.keys() & fresh.keys():
            _compare(saved[key], fresh[key], f"{where}.{key}")
    elif isinstance(fresh, torch.Tensor):
        grows = where.startswith("member.streams.")  # what was drawn ahead is empty at first
        shaped = isinstance(saved, torch.Tensor) and (grows or saved.shape == fresh.shape)
        if not shaped or saved.dtype != fresh.dtype:
            raise Unusable(f"{where} is not a tensor of shape {tuple(fresh.shape)} and {fresh.dtype}")
    elif isinstance(fresh, (Mapping, list, str)) and type(saved) is not type(fresh):
        raise Unusable(f"{where} is of another type")


def remove(directory: Path) -> None:
    """Delete the checkpoint that was kept while the last one was written."""
    (directory / PREVIOUS).unlink(missing_ok=True)


def _read(path: Path, device: torch.device) -> dict[str, Any]:
    file = io.BytesIO(atomic.read(path))
    with zipfile.ZipFile(file) as archive:
        torn = archive.testzip()
    if torn is not None:
        raise Unusable(f"checksum of {torn} is wrong")
    file.seek(0)
    content = torch.load(file, map_location=device, weights_only=True)
    if not isinstance(content, dict) or not isinstance(content.get("identity"), str):
        raise Unusable("it does not hold a checkpoint of gansweep")
    return content


def _refuse_other(path: Path, content: Mapping[str, Any], identity: Mapping[str, Any]) -> None:
    differences = _differences(json.loads(content["identity"]), json.loads(json.dumps(identity, sort_keys=True)))
    if differences:
        raise ResumeError(
            f"{path} was made by another training and can't be continued: {'; '.join(differences)}. "
            "Run with fresh=true to put it aside and start over."
        )


def _is_shortage(error: Exception) -> bool:
    """Tell whether memory or file handles are short, which says nothing about the file."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOMEM, errno.EMFILE, errno.ENFILE)
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in str(error)


def _reason(error: Exception) -> str:
    """Say what is wrong in a few words. Torch's own, for a file that it does not take, is advice to execute it."""
    if isinstance(error, pickle.UnpicklingError):
        return "it holds something else than tensors and plain values"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    words = str(error).partition("\n")[0]
    return words if isinstance(error, Unusable) else f"{type(error).__name__}: {words}"


def _differences(theirs: Any, ours: Any, key: str = "") -> list[str]:
    """List what differs, by dotted key, as `key: theirs, now ours`."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        names = sorted({*theirs, *ours})
        return [d for n in names for d in _differences(theirs.get(n), ours.get(n), f"{key}.{n}" if key else n)]
    return [] if theirs == ours else [f"{key} was {json.dumps(theirs)} and is now {json.dumps(ours)}"]
