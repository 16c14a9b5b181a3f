"""What remains of a cell that raised."""

from __future__ import annotations

import gc
import sys
import traceback
from datetime import datetime, timezone
from typing import Any

from gansweep.sweep.cell import Cell
from gansweep.training import record


def failed_record(cell: Cell, error: BaseException, wall_s: float = 0.0) -> dict[str, Any]:
    """Make the record of a cell that ended in an exception.

    Args:
        cell: whose it is.
        error: what it raised.
        wall_s: how long it had trained.
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
            # to the microsecond: that is how a second failure is told from the first
            "finished": datetime.now(timezone.utc).isoformat(timespec="microseconds"),
            "wall_s": round(wall_s, 3),
            "steps_per_s": None,
            "eval_s": None,
        },
    }
    return record.in_json(content)


def free_memory() -> None:
    """Give back what a failed cell still held, on the GPU too, before the next one begins.

    Whoever trains on a GPU has imported torch; it is not imported only to find that out.
    """
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
