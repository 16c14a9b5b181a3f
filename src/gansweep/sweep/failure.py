"""Record and clean-up of a cell that raised an exception."""

from __future__ import annotations

import gc
import sys
import traceback
from datetime import datetime, timezone
from typing import Any

from gansweep.sweep.cell import Cell
from gansweep.training import record


def failed_record(cell: Cell, error: BaseException, wall_s: float = 0.0) -> dict[str, Any]:
    """Return the record of a cell that raised an exception.

    Args:
        cell: the failed cell.
        error: the exception.
        wall_s: training time in seconds.
    """
    message = str(error) if str(error) else repr(error)
    content = {
        "format": record.FORMAT,
        "state": "failed",
        "cell": {"name": cell.name, "hash": cell.hash, "overrides": cell.overrides},
        "config": cell.config,
        "identity": cell.identity,
        "steps": 0,
        "metric": None,
        "divergence": None,
        "error": {
            "type": type(error).__name__,
            "message": message,
            "traceback": "".join(traceback.format_exception(type(error), error, error.__traceback__)),
        },
        "seeds": {"member": cell.config.get("seed")},
        "versions": record.versions(),
        "device": {},
        "time": {
            "started": None,
            # microseconds distinguish a second failure from the first one
            "finished": datetime.now(timezone.utc).isoformat(timespec="microseconds"),
            "wall_s": round(wall_s, 3),
            "steps_per_s": None,
            "eval_s": None,
        },
    }
    return record.in_json(content)


def free_memory() -> None:
    """Free the memory of the previous cell, including GPU memory.

    torch is not imported for this: if it is not imported yet, no GPU memory is allocated.
    """
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
