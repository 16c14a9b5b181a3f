"""Weights of a run at its evaluations (`trainer.keep`), in `weights/` next to its checkpoint.

A file `weights/step_<step>.pt` is read by `torch.load(path, weights_only=True)`. Its `member` has the layout of a
checkpoint's `member`, without the states that only training needs.
"""

from __future__ import annotations

import io
import json
import logging
import math
import shutil
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gansweep.training import atomic, checkpoint_step

if TYPE_CHECKING:
    from gansweep.batched.member import Member

log = logging.getLogger(__name__)

FOLDER = "weights"


class Kept(NamedTuple):
    """Weights in a file.

    Args:
        step: number of finished steps.
        path: kept weights, or a checkpoint.
        value: the metric at that step, None if it was not measured or is not finite.
        is_best: whether the value is better than those of all earlier steps.
    """

    step: int
    path: Path
    value: float | None
    is_best: bool


def kept(directory: Path) -> list[Kept]:
    """Return the weights in a cell's directory by ascending step: the kept ones, and those of the checkpoint.

    Tensors are not read. Unreadable files are left out.
    """
    weights = [_of_file(path) for path in files(directory).values()]
    return sorted(
        [*filter(None, weights), *filter(None, [_of_checkpoint(directory)])],
        key=lambda entry: (entry.step, entry.path.name == checkpoint_step.NAMES[1]),
    )


def best(directory: Path) -> Kept | None:
    """Return the weights at the best evaluation of the metric, None if they were not kept."""
    entries = kept(directory)
    content = checkpoint_step.plain_values(directory / checkpoint_step.NAMES[1]) or {}
    steps = [entry.step for entry in entries if entry.is_best]
    step = max([*steps, best_step(content.get("evaluations") or [])], default=0)
    return next((entry for entry in entries if entry.step == step and step > 0), None)


def unreadable(directory: Path) -> list[Path]:
    """Return the files of kept weights that are damaged."""
    return [path for path in files(directory).values() if _of_file(path) is None]


def best_step(evaluations: Collection[Mapping[str, Any]]) -> int:
    """Return the step of the best evaluation, 0 if there is none: the last one that was measured on other latents."""
    return max((entry["step"] for entry in evaluations if "apart" in entry), default=0)


def write(
    directory: Path,
    identity: Mapping[str, Any],
    weights: Mapping[str, Any],
    evaluation: Mapping[str, Any],
    guard: Callable[[], None] = atomic.unguarded,
) -> None:
    """Write weights atomically. If they can't be written, a warning is logged.

    Args:
        directory: of the cell.
        identity: of the run.
        weights: see `weights_of`.
        evaluation: entry of the evaluations at this step, {} if nothing was measured.
        guard: called before the file is renamed to its final name; raises if this process must not write any more.
    """
    import torch

    from gansweep.training import checksums

    about = {"value": evaluation.get("value"), "is_best": "apart" in evaluation}
    buffer, path = io.BytesIO(), path_of(directory, weights["step"])
    content = {"identity": json.dumps(identity, sort_keys=True), "member": dict(weights), **about}
    torch.save({**content, checksums.CHECKSUMS: checksums.checksums(content)}, buffer)
    try:
        path.parent.mkdir(exist_ok=True)
        atomic.write(path, buffer.getvalue(), guard)
    except OSError as error:
        log.warning("the weights of step %d were not kept: %s; the run continues", weights["step"], error)


def weights_of(member: Member, exported: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of an exported member that its samples depend on.

    Random streams are left out, and so is the optimizer state unless the update rule computes its evaluation
    parameters from it.
    """
    weights = dict(exported) | {"streams": {}}
    for name in ("generator", "discriminator"):
        if name in weights and not hasattr(getattr(member, name).rule, "evaluated"):
            weights[name] = {**weights[name], "state": {}}
    return weights


def files(directory: Path) -> dict[int, Path]:
    """Return the files of kept weights by step."""
    named = ((path.stem.removeprefix("step_"), path) for path in sorted((directory / FOLDER).glob("step_*.pt")))
    return {int(step): path for step, path in named if step.isdigit() and path.is_file()}


def path_of(directory: Path, step: int) -> Path:
    """Return the file of the weights at a step."""
    return directory / FOLDER / f"step_{step:07d}.pt"


def remove(directory: Path, unwanted: Callable[[int], bool]) -> None:
    """Delete the weights of unwanted steps."""
    for step, path in files(directory).items():
        if unwanted(step):
            path.unlink(missing_ok=True)


def copy(source: Path, directory: Path, steps: Collection[int]) -> None:
    """Copy the weights of some steps, where they were kept, from one cell's directory to another's.

    Raises:
        OSError: they can't be copied.
    """
    for step, path in files(source).items():
        if step in steps:
            path_of(directory, step).parent.mkdir(exist_ok=True)
            shutil.copyfile(path, path_of(directory, step))


def num_bytes(run: Any) -> int:
    """Return the approximate size of one file of a run's weights: parameters, average and buffers in float32."""
    shape, alone = tuple(run.data.sample_shape), getattr(run.algorithm, "alone", False)
    networks = [run.model.generator(shape), *([] if alone else [run.model.discriminator(shape)])]
    buffers = sum(math.prod(slot.shape) for network in networks for slot in network.buffers)
    numbers = buffers + sum(network.num_parameters for network in networks)
    return 4 * (numbers + (networks[0].num_parameters if run.member.ema is not None else 0))


def _of_file(path: Path) -> Kept | None:
    content = checkpoint_step.plain_values(path) or {}
    step = checkpoint_step.step_of(content)
    return None if step is None else Kept(step, path, content.get("value"), bool(content.get("is_best")))


def _of_checkpoint(directory: Path) -> Kept | None:
    path = directory / checkpoint_step.NAMES[1]
    content = checkpoint_step.plain_values(path) or {}
    step = checkpoint_step.step_of(content)
    if step is None:
        return None
    last = next((entry for entry in content.get("evaluations") or [] if entry["step"] == step), {})
    return Kept(step, path, last.get("value"), "apart" in last)
