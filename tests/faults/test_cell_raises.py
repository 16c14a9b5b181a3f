"""A cell that raises, leaves, runs out of memory or breaks its process costs that cell alone."""

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
    """A folder with the optimizer that fails."""
    (tmp_path / "here/conf/optimizer").mkdir(parents=True)
    (tmp_path / "here/conf/optimizer/failing.yaml").write_text(YAML)
    (tmp_path / "here/broken").touch()
    return tmp_path / "here"


def states(here: Path) -> dict[str, str]:
    found = (json.loads(path.read_text()) for path in here.glob("outputs/s/*/record.json"))
    return {record["config"]["optimizer"]["how"]: record["state"] for record in found}


def test_every_way_to_fail_leaves_the_others_alone_and_is_tried_again(here):
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


def test_a_cell_that_kills_the_process_is_the_next_to_be_tried(here):
    grid = (*TRUST, "optimizer.how=by_being_killed,not_at_all")
    assert command(here, *grid).code < 0
    (here / "broken").unlink()
    assert command(here, *grid).code == 0
    assert set(states(here).values()) == {"completed"}


def test_one_member_of_a_pack_does_not_take_the_others_with_it(here):
    ended = command(here, *TRUST, "optimizer.how=by_raising,by_leaving,not_at_all", "pack=3")
    assert ended.code == 1, ended.text
    assert states(here) == {"by_raising": "failed", "by_leaving": "failed", "not_at_all": "completed"}
