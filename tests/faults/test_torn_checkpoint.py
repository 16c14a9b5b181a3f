"""A damaged checkpoint: the previous one is used, or the cell starts again."""

from __future__ import annotations

import functools
import signal

import pytest
from fault_child import GRID, command
from moments import kill_after_saving
from sweep_contents import curves, finals, records


def flip(content: bytes) -> bytes:
    """Change more bytes than there are between two tensors of the archive."""
    middle = len(content) // 2
    return content[:middle] + bytes(byte ^ 0xFF for byte in content[middle : middle + 128]) + content[middle + 128 :]


DAMAGES = {"cut off": lambda content: content[:-200], "changed": flip, "empty": lambda content: b""}


@pytest.mark.parametrize(
    ("damage", "both"),
    [
        ("cut off", False),
        pytest.param("changed", True, marks=pytest.mark.slow),
        pytest.param("empty", False, marks=pytest.mark.slow),
    ],
)
def test_a_damaged_checkpoint(tmp_path, undisturbed, damage, both):
    expected, _ = undisturbed
    here, sweep = tmp_path / "here", tmp_path / "here/outputs/s"
    killed = command(here, *GRID, fault=functools.partial(kill_after_saving, 2))
    assert killed.code == -signal.SIGKILL, killed.text
    (cell,) = (path.parent for path in sweep.glob("*/checkpoint.previous.pt"))
    for name in ("checkpoint.pt", "checkpoint.previous.pt")[: 1 + both]:
        (cell / name).write_bytes(DAMAGES[damage]((cell / name).read_bytes()))
    ended = command(here, *GRID)
    assert ended.code == 0, ended.text
    assert f"{cell / 'checkpoint.pt'} can't be used" in ended.text
    assert ("continuing from step" in (cell / "gansweep.log").read_text()) is not both
    assert records(sweep) == records(expected)
    assert finals(sweep) == finals(expected)
    assert curves(sweep) == curves(expected)
