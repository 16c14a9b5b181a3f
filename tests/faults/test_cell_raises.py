"""A cell that raises, exits or runs out of memory fails alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from failing_rule import TRUST, YAML
from fault_child import command
from sweep_contents import records

WAYS = ("by_raising", "by_leaving", "by_memory", "by_an_odd_error")


@pytest.fixture
def here(tmp_path) -> Path:
    """Return a directory with the failing optimizer."""
    (tmp_path / "here/conf/optimizer").mkdir(parents=True)
    (tmp_path / "here/conf/optimizer/failing.yaml").write_text(YAML)
    (tmp_path / "here/broken").touch()
    return tmp_path / "here"


def states(here: Path) -> dict[str, str]:
    found = (json.loads(path.read_text()) for path in here.glob("outputs/s/*/record.json"))
    return {record["config"]["optimizer"]["how"]: record["state"] for record in found}


def test_each_kind_of_failure_is_recorded_and_retried(here):
    grid = (*TRUST, f"optimizer.how={','.join(WAYS)},not_at_all")
    ended = command(here, *grid)
    assert ended.code == 1, ended.text
    assert states(here) == {**dict.fromkeys(WAYS, "failed"), "not_at_all": "completed"}
    for words in ("RuntimeError: something is wrong", "SystemExit: 7", "MemoryError", "made of two"):
        assert words in ended.text
    assert "Traceback" not in ended.text
    before = records(here / "outputs/s")
    kept = command(here, *grid, "retry_failed=false")
    assert kept.code == 1
    assert records(here / "outputs/s") == before
    (here / "broken").unlink()
    again = command(here, *grid)
    assert again.code == 0, again.text
    assert set(states(here).values()) == {"completed"}
    ((name, record),) = ((name, text) for name, text in before.items() if '"completed"' in text)
    assert records(here / "outputs/s")[name] == record


def test_a_cell_that_kills_the_process_is_trained_by_the_next_command(here):
    grid = (*TRUST, "optimizer.how=by_being_killed,not_at_all")
    assert command(here, *grid).code < 0
    (here / "broken").unlink()
    assert command(here, *grid).code == 0
    assert set(states(here).values()) == {"completed"}


def test_a_failing_member_of_a_pack_fails_alone(here):
    ended = command(here, *TRUST, "optimizer.how=by_raising,by_leaving,not_at_all", "pack=3")
    assert ended.code == 1, ended.text
    assert states(here) == {"by_raising": "failed", "by_leaving": "failed", "not_at_all": "completed"}
