"""Checkpoints: tensors and plain values, written atomically; the previous checkpoint is kept until then."""

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

from gansweep import device as devices
from gansweep.data.on_device import samples_on
from gansweep.device_errors import is_device_failure, is_out_of_memory
from gansweep.training import atomic, checksums
from gansweep.training.run import Run

log = logging.getLogger(__name__)

NAME, PREVIOUS = "checkpoint.pt", "checkpoint.previous.pt"


# The fields of a checkpoint and their types. Earlier versions did not write those in LATER.
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
    "continued": dict,
}
LATER = ("trained_s", "trained_at", "curves", "diagnoses", "field", "continued")


class Unusable(ValueError):
    """A checkpoint with missing or invalid content."""


class ResumeError(ValueError):
    """A checkpoint exists, but it belongs to another training."""


def save(
    directory: Path,
    identity: Mapping[str, Any],
    content: Mapping[str, Any],
    guard: Callable[[], None] = atomic.unguarded,
) -> str:
    """Write a checkpoint and return the checksum of its member. The previous one is kept until this one is complete.

    Args:
        directory: of the run.
        identity: values that have to be equal for the run to be continued.
        content: tensors, numbers, strings, and lists and dicts of them.
        guard: called before a file is renamed to its final name; raises if this process must not write any more.

    Raises:
        OSError: it can't be written. The previous checkpoint is unchanged.
    """
    buffer, whole = io.BytesIO(), {"identity": json.dumps(identity, sort_keys=True), **content}
    whole[checksums.CHECKSUMS] = checksums.checksums(whole)
    torch.save(whole, buffer)
    path = directory / NAME
    if path.exists():
        atomic.write(directory / (NAME + ".new"), buffer.getvalue(), guard)
        path.replace(directory / PREVIOUS)
        (directory / (NAME + ".new")).replace(path)
    else:
        atomic.write(path, buffer.getvalue(), guard)
    return checksums.of_member(whole)


def load(
    directory: Path,
    identity: Mapping[str, Any],
    resumable: Callable[[Mapping[str, Any]], None] = lambda content: None,
) -> dict[str, Any] | None:
    """Return the newest usable checkpoint, None if there is none. No code in it is executed.

    Tensors are loaded to the CPU. A pack copies those of a member to its device.

    A checkpoint that can't be read or used is reported in a warning and renamed, and the previous one is used.

    Args:
        directory: of the run.
        identity: values that have to be equal to those in the checkpoint.
        resumable: raises if a run can't be continued from its content.

    Raises:
        ResumeError: it was written with another config, other data or other arithmetic.
        MemoryError, RuntimeError: there is not enough memory to read it.
    """
    content = None
    for name in (NAME + ".new", NAME, PREVIOUS):
        path = directory / name
        if not os.path.lexists(path) or (content is not None and path.is_file()):
            continue
        try:
            candidate = read(path)
            _refuse_other(path, candidate, identity)
            resumable(candidate)
        except ResumeError:
            raise
        except Exception as error:
            if is_shortage(error):
                raise
            aside = atomic.put_aside(path)
            log.warning("%s can't be used: %s; renamed to %s", path, reason(error), aside.name)
        else:
            content = candidate if content is None else content
    return content


def check(content: Mapping[str, Any], total_steps: int, fresh: Mapping[str, Any]) -> None:
    """Check fields, types and shapes of a checkpoint's content.

    Args:
        content: of the file.
        total_steps: of the run.
        fresh: exported member of the same run before its first step.

    Raises:
        Unusable: a field is missing or has another type.
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
    """Compare types and shapes of the keys in both. Keys in only one of them are not checked here."""
    if isinstance(fresh, Mapping) and isinstance(saved, Mapping):
        for key in saved.keys() & fresh.keys():
            _compare(saved[key], fresh[key], f"{where}.{key}")
    elif isinstance(fresh, torch.Tensor):
        saved = torch.tensor(saved) if isinstance(saved, bool) else saved  # `finite_gradients` of earlier versions
        shaped = isinstance(saved, torch.Tensor) and saved.shape == fresh.shape
        if not shaped or saved.dtype != fresh.dtype:
            raise Unusable(f"{where} is not a tensor of shape {tuple(fresh.shape)} and {fresh.dtype}")
    elif isinstance(fresh, (Mapping, list, str)) and type(saved) is not type(fresh):
        raise Unusable(f"{where} is of another type")


def training_times(saved: Mapping[str, Any]) -> tuple[float, list[dict[str, Any]]]:
    """Return a checkpoint's training time, in total and at its evaluations; an estimate for old checkpoints."""
    if "trained_s" in saved:
        return saved["trained_s"], saved["trained_at"]
    trained_s, steps = saved["wall_s"] - saved["eval_s"], max(saved["member"]["step"], 1)
    at = [e["step"] for e in saved["evaluations"]]
    return trained_s, [{"step": step, "trained_s": round(trained_s * step / steps, 3)} for step in at]


def remove(directory: Path) -> None:
    """Delete the previous checkpoint."""
    (directory / PREVIOUS).unlink(missing_ok=True)


def read(path: Path) -> dict[str, Any]:
    """Return the content of a checkpoint or of kept weights. No code in it is executed; tensors are on the CPU.

    Raises:
        Exception: it can't be read, is damaged, or was edited.
    """
    file = io.BytesIO(atomic.read(path))
    with zipfile.ZipFile(file) as archive:
        torn = archive.testzip()
    if torn is not None:
        raise Unusable(f"checksum of {torn} is wrong")
    file.seek(0)
    content = torch.load(file, map_location="cpu", weights_only=True)
    if not isinstance(content, dict) or not isinstance(content.get("identity"), str):
        raise Unusable("it is not a checkpoint of gansweep")
    if edited := checksums.edited(content):
        raise Unusable(f"it was edited: {', '.join(edited)} can't be trusted")
    return content


def _refuse_other(path: Path, content: Mapping[str, Any], identity: Mapping[str, Any]) -> None:
    differences = _differences(json.loads(content["identity"]), json.loads(json.dumps(identity, sort_keys=True)))
    if differences:
        raise ResumeError(
            f"{path} was written by another training and can't be continued: {'; '.join(differences)}. "
            "Run with fresh=true to put it aside and start over."
        )


def is_shortage(error: Exception) -> bool:
    """Return whether an error is due to a lack of memory or file handles or to the device, not to the file."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOMEM, errno.EMFILE, errno.ENFILE)
    short = isinstance(error, MemoryError) or is_out_of_memory(error)
    return short or is_device_failure(error) or "can't allocate memory" in str(error)


def reason(error: Exception) -> str:
    """Return a short description of an error.

    Torch's message for a rejected pickle is replaced, because it advises to load the file unsafely.
    """
    if isinstance(error, pickle.UnpicklingError):
        return "it contains other objects than tensors and plain values"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    first_line = str(error).partition("\n")[0]
    return first_line if isinstance(error, Unusable) else f"{type(error).__name__}: {first_line}"


def _differences(saved: Any, current: Any, key: str = "") -> list[str]:
    """Return one text `key was saved and is now current` for every dotted key with different values."""
    if isinstance(saved, dict) and isinstance(current, dict):
        names = sorted({*saved, *current})
        return [d for n in names for d in _differences(saved.get(n), current.get(n), f"{key}.{n}" if key else n)]
    return [] if saved == current else [f"{key} was {json.dumps(saved)} and is now {json.dumps(current)}"]


def check_resumable(run: Run, saved: Mapping[str, Any]) -> None:
    """Load a checkpoint's member into a separate pack, to check that the run can be continued from it.

    Raises:
        Exception: it can't be restored.
    """
    pack = run.algorithm.pack([run], samples_on(devices.resolve(run.device), run.data, run.algorithm))
    try:
        check(saved, run.steps, pack.export(0))
        pack.restore(0, saved["member"])
    finally:
        pack.release()
