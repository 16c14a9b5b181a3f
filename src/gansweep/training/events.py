"""TensorBoard's files as a sweep writes them before and after its runs, which takes no torch."""

from __future__ import annotations

import importlib
import io
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gansweep.formatting import visible

# TensorBoard takes files in the order of their names, which begin with the time in seconds.
PREFIX = "events.out.tfevents."
ROW = f"{PREFIX}0000000000.row"  # of a run: its row in HPARAMS
END = f"{PREFIX}9999999999.end"  # of a run: what it came to


def protobuf(name: str) -> Any:
    """Import a module whose classes are made at run time."""
    return importlib.import_module(f"tensorboard.{name}")


def row(hparams: Mapping[str, Any], group: str) -> Any:
    """Make a run's row of HPARAMS; runs of one group share one, which tells their means.

    Not TensorBoard's `hparams_config` of torch's add_hparams: of several of those only the first counts.
    """
    columns = {visible(key): plain(value) for key, value in hparams.items()}
    # The time is left to the events, so that equal rows are equal bytes.
    return protobuf("plugins.hparams.summary_v2").hparams_pb(columns, trial_id=visible(group), start_time_secs=0.0)


def plain(value: Any) -> bool | int | float | str:
    """Return what HPARAMS takes: anything but numbers, words and truth is told as text."""
    return value if isinstance(value, bool | int | float) else visible(str(value))


def put(path: Path, summaries: Sequence[Any], step: int = 0) -> None:
    """Write a file of its own, in place of an earlier one unless that says the same.

    Raises:
        OSError: it can't be written.
    """
    texts = [summary.SerializeToString() for summary in summaries]
    if path.is_file():
        there = path.read_bytes()
        if all(text in there for text in texts):
            return
    event = protobuf("compat.proto.event_pb2").Event
    file = io.BytesIO()
    writer = protobuf("summary.writer.record_writer").RecordWriter(file)
    for summary in summaries:
        writer.write(event(wall_time=time.time(), step=step, summary=summary).SerializeToString())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file.getvalue())
