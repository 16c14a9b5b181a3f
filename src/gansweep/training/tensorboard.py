"""TensorBoard output of a run: event files that are open only while they are written, and one HPARAMS row."""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import json
import logging
import os
import socket
import textwrap
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from torch import Tensor

from gansweep.formatting import visible
from gansweep.interfaces import LoggedRun
from gansweep.training import events
from gansweep.training.events import protobuf

log = logging.getLogger(__name__)

CONFIG = "config"  # tag; written again by a run that continues, perhaps from a run with another configuration
FIRST_EVENTS = f"{events.PREFIX}0000000000.continued"
WRITE_EVERY_S = 30.0
MAX_BYTES = 1 << 20

_numbers = itertools.count()


class EventFile:
    """TensorBoard event file that takes neither a file descriptor nor a thread between two writes.

    Torch's `SummaryWriter` has a thread for each file, too many for a large pack. Here events are collected in memory.
    They are appended to the file by `flush`, and by `add` if there are more than MAX_BYTES or the last write was
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
        source = event.SourceMetadata(writer="gansweep.training.tensorboard")
        self._append(event.Event(wall_time=time.time(), file_version="brain.Event:2", source_metadata=source))
        self.path.touch()
        self.flush()

    def add(self, summary: Any, step: int) -> None:
        """Add a summary at a step."""
        self._append(self._event(wall_time=time.time(), step=step, summary=summary))
        if self._pending.tell() > MAX_BYTES or time.monotonic() - self._written_at > WRITE_EVERY_S:
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


@dataclass(frozen=True)
class TensorBoard:
    """Curves, pictures and an HPARAMS row as TensorBoard's event files in the directory of the cell."""

    def open(self, run: LoggedRun) -> Board:
        """Return the event files of a run."""
        return Board(run.directory, run.step, run.settings, run.name, run.config)


class Board:
    """Event files of one run. If they can't be written, a warning is logged once and the run continues.

    Args:
        directory: of the cell; the event files are next to the record.
        step: first step of the run, or step from which it continues; later events are removed, so that no step of
            a resumed run is duplicated.
        hparams: columns of the HPARAMS row, by key; used if no sweep has written a row.
        name: name of this row.
        config: resolved configuration of the run, shown as text.
    """

    def __init__(
        self,
        directory: Path,
        step: int,
        hparams: Mapping[str, Any],
        name: str,
        config: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.directory = directory
        self.file: EventFile | None = None
        try:
            (directory / events.END).unlink(missing_ok=True)
            _forget_after(directory, step, forget_config=True)
            self._open(hparams, name)
            if config and self.file is not None:
                self.file.add(events.text(CONFIG, _yaml(config)), 0)
        except OSError as error:
            self._give_up(error)

    def _open(self, hparams: Mapping[str, Any], name: str) -> None:
        self.file = EventFile(self.directory)
        if not (self.directory / events.ROW).exists():
            events.put(self.directory / events.ROW, [events.row(hparams, name)])

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Add one point to each curve."""
        from torch.utils.tensorboard.summary import scalar

        def points(file: EventFile) -> None:
            for tag, value in values.items():
                file.add(scalar(tag, value), step)

        self._write(points)

    def picture(self, tag: str, picture: Tensor, step: int) -> None:
        """Add a picture (3, h, w) in [0, 1]."""
        from torch.utils.tensorboard.summary import image

        self._write(lambda file: file.add(image(tag, picture, dataformats="CHW"), step))

    def flush(self) -> None:
        """Flush all events to disk. Called before a checkpoint is written."""
        self._write(lambda file: file.flush())

    def close(self, record: Mapping[str, Any] | None = None) -> None:
        """Write all events to disk, and for a run that has ended its results for HPARAMS.

        The events between a divergence and its detection are removed. The file is open only while it is written.
        """
        self.flush()
        if record is not None:
            divergence = record["divergence"]
            self.end(divergence is None, events.results(record), record["steps"])
            if divergence is not None:
                self.forget_after(divergence["step"])

    def end(self, finished: bool, results: Mapping[str, float], step: int) -> None:
        """Write the end state and the results of the run for HPARAMS.

        They are in a separate file, because a run that is interrupted before its record exists ends a second time.
        """
        self._write(lambda _: events.put(self.directory / events.END, [events.end(finished, results)], step))

    def forget_after(self, step: int) -> None:
        """Remove events after a step from the closed files."""
        try:
            _forget_after(self.directory, step)
        except OSError as error:
            self._give_up(error)

    def _write(self, write: Callable[[EventFile], object]) -> None:
        """Call `write` with the event file, unless an earlier write has failed."""
        if self.file is None:
            return
        try:
            write(self.file)
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        log.warning(
            "TensorBoard files can't be written in %s (%s); the run continues without them", self.directory, error
        )
        self.file = None


def _yaml(config: Mapping[str, Any]) -> str:
    """Return a configuration as a block of YAML in Markdown."""
    import yaml

    content = yaml.safe_dump(json.loads(json.dumps(config, default=str)), sort_keys=False, allow_unicode=True)
    return textwrap.indent(visible(content), 4 * " ")


def _forget_after(directory: Path, step: int, forget_config: bool = False) -> None:
    """Rewrite the event files of an interrupted run without the events after `step`, and without the configuration.

    At step 0 only the HPARAMS row is kept: the run starts again and writes its first events again. The new file
    gets a name that TensorBoard reads first, regardless of the clock. Events that occur twice, because this
    function was interrupted, are kept once.
    """
    old = sorted(path for path in directory.glob(f"{events.PREFIX}*") if path.name not in (events.ROW, events.END))
    if not old:
        return
    if step > 0:
        from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
        from tensorboard.summary.writer.record_writer import RecordWriter

        event = protobuf("compat.proto.event_pb2").Event
        merged, seen = directory / ".events.merged", set()
        with merged.open("wb") as file:
            writer = RecordWriter(file)
            for path in old:
                for raw in RawEventFileLoader(str(path)).Load():
                    mark = hashlib.sha256(raw).digest()
                    parsed = event.FromString(raw)
                    is_config = forget_config and any(value.tag == CONFIG for value in parsed.summary.value)
                    if parsed.step <= step and mark not in seen and not is_config:
                        writer.write(raw)
                        seen.add(mark)
            writer.flush()
        kept = directory / FIRST_EVENTS
        merged.replace(kept)
        old = [path for path in old if path != kept]
    for path in old:
        path.unlink()
