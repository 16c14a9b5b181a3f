"""Event file of one run, opened only while it is written."""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import socket
import time
from pathlib import Path
from typing import Any

from gansweep.training import events
from gansweep.training.events import protobuf

WRITE_EVERY_S = 30.0
MOST_BYTES = 1 << 20

_numbers = itertools.count()


class EventFile:
    """TensorBoard event file that takes neither a file descriptor nor a thread between two writes.

    Torch's `SummaryWriter` has a thread for each file, too many for a large pack. Here events are collected in memory.
    They are appended to the file by `flush`, and by `add` if there are more than MOST_BYTES or the last write was
    more than WRITE_EVERY_S ago.

    Args:
        directory: of the cell.

    Raises:
        OSError: raised by all methods if the file can't be written.
    """

    def __init__(self, directory: Path) -> None:
        event = protobuf("compat.proto.event_pb2")
        self._event, self._pending = event.Event, io.BytesIO()
        self._records = protobuf("summary.writer.record_writer").RecordWriter(self._pending)
        parts = f"{int(time.time()):010d}", socket.gethostname(), str(os.getpid()), str(next(_numbers))
        self.path = directory / f"{events.PREFIX}{'.'.join(parts)}"
        directory.mkdir(parents=True, exist_ok=True)
        source = event.SourceMetadata(writer="gansweep.training.event_file")
        self._append(event.Event(wall_time=time.time(), file_version="brain.Event:2", source_metadata=source))
        self.path.touch()
        self.flush()

    def add(self, summary: Any, step: int) -> None:
        """Add a summary at a step."""
        self._append(self._event(wall_time=time.time(), step=step, summary=summary))
        if self._pending.tell() > MOST_BYTES or time.monotonic() - self._written_at > WRITE_EVERY_S:
            self.flush()

    def flush(self) -> None:
        """Append all events to the file.

        A file that has been removed is not created again: its events belong to another process now.
        """
        with (
            contextlib.suppress(FileNotFoundError),
            os.fdopen(os.open(self.path, os.O_WRONLY | os.O_APPEND), "ab") as file,
        ):
            file.write(self._pending.getvalue())
        self._pending.seek(0)
        self._pending.truncate()
        self._written_at = time.monotonic()

    def _append(self, event: Any) -> None:
        self._records.write(event.SerializeToString())
