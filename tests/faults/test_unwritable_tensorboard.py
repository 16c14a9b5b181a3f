"""Event files that cannot be written have no other effect."""

from __future__ import annotations

import functools

import pytest
from fault_child import GRID, command
from sweep_contents import records


def refuse(after: int) -> None:
    """Raise OSError after a number of written events."""
    from tensorboard.summary.writer.record_writer import RecordWriter

    write, written = RecordWriter.write, []

    def limited(self, data):
        written.append(1)
        if len(written) > after:
            raise OSError(28, "No space left on device")
        return write(self, data)

    RecordWriter.write = limited


@pytest.mark.parametrize("after", [0, 5])
def test_event_files_that_cannot_be_written(tmp_path, undisturbed, after):
    ended = command(tmp_path / "here", *GRID, fault=functools.partial(refuse, after))
    assert ended.code == 0, ended.text
    assert "TensorBoard files can't be written" in ended.text
    assert records(tmp_path / "here/outputs/s") == records(undisturbed[0])
