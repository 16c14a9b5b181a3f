"""The cell that a path and a selection of settings name."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gansweep.sweep import records, sweep_directory
from gansweep.sweep.cell import Cell, Result, State, own_record, state
from gansweep.sweep.identity import plain
from gansweep.sweep.sweep_keys import UNSET, swept_keys, value
from gansweep.training import checkpoint_step

EXPECTED = "expected the folder of a cell, outputs/SWEEP/CELL, or of a sweep, outputs/SWEEP"
MOST_SHOWN = 20


def find(path: Path, selection: Sequence[str] = ()) -> Result:
    """Return the cell in a folder, or the only cell of a sweep with certain settings.

    Args:
        path: folder of a cell or of a sweep.
        selection: settings `key=value` that the cell has, such as `lr=1e-3`.

    Raises:
        ValueError: there is no such cell, or there are several.
    """
    results = everything(path)
    for word in selection:
        results = _with(results, word)
    if len(results) == 1:
        return results[0]
    cells = [result.cell for result in results]
    varied = [f"{key}={plain(value(cells[0], key))}" for key in swept_keys(cells)]
    names = [cell.name for cell in cells[:MOST_SHOWN]] + (["..."] if len(cells) > MOST_SHOWN else [])
    raise ValueError(
        f"{path}: {len(cells)} cells match, expected one; select it by settings, such as {' '.join(varied)}, or give "
        "the folder of one of these:\n  " + "\n  ".join(names)
    )


def everything(path: Path) -> list[Result]:
    """Return the cell in a folder, or all cells of a sweep.

    Raises:
        ValueError: the folder contains neither.
    """
    if not path.is_dir():
        raise ValueError(f"{path}: {'is not a folder' if path.exists() else 'there is no such folder'}; {EXPECTED}")
    path = path.resolve()
    content = records.read(path)
    if content is not None:
        return [Result.of(path, content)]
    cells = sweep_directory.read(path).cells
    if not cells:  # a cell without a record
        cells = [cell for cell in sweep_directory.read(path.parent).cells if cell.directory == path]
    if not cells:
        inside = sorted(entry.name for entry in path.iterdir() if (entry / sweep_directory.FROZEN).is_file())
        hint = f"; it contains the sweeps {', '.join(inside[:5])}" if inside else ""
        raise ValueError(f"{path}: contains neither a cell nor a sweep{hint}; {EXPECTED}")
    return [_result(cell) for cell in cells]


def checkpoint_of(result: Result) -> Path:
    """Return the checkpoint after the last step of a cell.

    Raises:
        ValueError: the cell has not finished, or has no checkpoint.
    """
    cell, step = result.cell, checkpoint_step.read(result.cell.directory)
    saved = _no_step(cell) if step is None else f"its last checkpoint is that of step {step}"
    if result.state is State.DIVERGED:
        why = f"diverged at step {result.diverged_at}, so there are no final weights"
    elif result.state is State.FAILED:
        why = f"has failed ({saved}); expected a finished cell"
    elif result.state is State.DROPPED:
        why = f"was dropped by its race ({saved}); type the command line of its sweep without race to finish it"
    elif result.state is not State.COMPLETED:
        why = f"has not finished ({saved}); type the command line of its sweep again to finish it"
    elif step is None or step < int((result.record or {}).get("steps") or 0):
        why = f"{saved}, expected checkpoint.pt of step {(result.record or {}).get('steps')}"
    else:
        return cell.directory / checkpoint_step.NAMES[1]
    raise ValueError(f"{cell.name}: {why}")


def _no_step(cell: Cell) -> str:
    """Return why the step of a cell's checkpoint is unknown."""
    damaged = [name for name in checkpoint_step.NAMES if os.path.lexists(cell.directory / name)]
    return f"its {damaged[0]} is damaged" if damaged else "it has no checkpoint"


def saved_member(result: Result, path: Path) -> dict[str, Any]:
    """Return the state of the cell's networks and optimizers in a checkpoint. Nothing in it is executed.

    Raises:
        ValueError: it can't be read, was edited, or belongs to another training.
    """
    from gansweep.training import checkpoint, checksums
    from gansweep.training.run import NUMERICS_OF_LABELS

    model, numerics = result.cell.config["model"], str(result.cell.identity.get("numerics"))
    is_conditional = any(node.get("conditional") for node in (model, model.get("generator_of") or {}))
    if is_conditional and not numerics.endswith(f", labels {NUMERICS_OF_LABELS}"):
        raise ValueError(
            f"{result.cell.name}: was trained by a version with another conditional generator; train it again"
        )
    try:
        content = checkpoint.read(path)
    except MemoryError:
        raise
    except Exception as error:
        raise ValueError(f"{path} can't be used: {checkpoint.reason(error)}") from error
    if json.loads(content["identity"]) != json.loads(json.dumps(result.cell.identity)):
        raise ValueError(f"{path} is a checkpoint of another training than record.json")
    measured = (result.record or {}).get("checkpoint") or {}
    is_final = path.name == checkpoint.NAME and content["member"].get("step") == measured.get("step")
    if is_final and checksums.of_member(content) != measured["member"]:
        raise ValueError(f"{path} was replaced: its member has another checksum than in record.json")
    return content["member"]


def _result(cell: Cell) -> Result:
    now = state(cell)
    return Result(cell, now, own_record(cell) if now.is_result or now is State.FAILED else None)


def _with(results: Sequence[Result], word: str) -> list[Result]:
    """Return the cells with a setting `key=value`."""
    key, equals, text = word.partition("=")
    if not equals or not key:
        raise ValueError(f"{word}: expected a setting, such as lr=1e-3")
    values = [value(result.cell, key) for result in results]
    matching = [result for result, own in zip(results, values, strict=True) if plain(own) == plain(_parsed(text))]
    if not matching:
        known = [plain(own) for own in dict.fromkeys(map(plain, values)) if own != UNSET]
        cells = [result.cell for result in results]
        wrong = (
            f"the cells have {', '.join(known[:MOST_SHOWN])}" if known else f"varied are {', '.join(swept_keys(cells))}"
        )
        raise ValueError(f"{word}: no cell has this setting; {wrong}")
    return matching


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
