"""A cell that ends its process fails alone, and the sweep continues."""

from __future__ import annotations

import functools
import json
import resource
import signal
from pathlib import Path

import pytest
from failing_rule import YAML
from fault_child import command
from sweep_contents import leftovers, records

KILLER = ("--config-dir", "conf", "allow=[failing_rule]", "name=s")
MIXED = (*KILLER, "optimizer=p_kill,adam,sgd", "lr=1e-3,1e-2")  # two cells that kill their process and four that do not


@pytest.fixture
def here(tmp_path) -> Path:
    """Return a directory with an optimizer that kills its process."""
    (tmp_path / "here/conf/optimizer").mkdir(parents=True)
    choose(tmp_path / "here", "by_being_killed")
    (tmp_path / "here/broken").touch()
    return tmp_path / "here"


def choose(here: Path, how: str) -> None:
    (here / "conf/optimizer/p_kill.yaml").write_text(YAML.replace("not_at_all", how))


def states(here: Path) -> dict[str, list[str]]:
    found = [json.loads(path.read_text()) for path in sorted(here.glob("outputs/s/*/record.json"))]
    return {
        kind: [
            one["state"] for one in found if ("Failing" in one["config"]["optimizer"]["_target_"]) is (kind == "kill")
        ]
        for kind in ("kill", "others")
    }


@pytest.fixture(scope="module")
def innocent(tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("innocent") / "here"
    assert command(folder, "optimizer=adam,sgd", "lr=1e-3,1e-2", "name=s").code == 0
    return records(folder / "outputs/s")


def assert_only_killers_failed(here: Path, ended, innocent) -> None:
    assert ended.code == 1, ended.text
    assert states(here) == {"kill": ["failed"] * 2, "others": ["completed"] * 4}, ended.text
    assert "Traceback" not in ended.text
    found = records(here / "outputs/s")
    assert [json.loads(found[name])["metric"] for name in innocent] == [
        json.loads(text)["metric"] for text in innocent.values()
    ]


@pytest.mark.parametrize(
    "pack", [pytest.param(1, marks=pytest.mark.slow), 6, pytest.param("auto", marks=pytest.mark.slow)]
)
def test_one_command_with_two_workers(here, innocent, pack):
    ended = command(here, *MIXED, "workers=2", f"pack={pack}")
    assert_only_killers_failed(here, ended, innocent)
    (table,) = (here / "outputs/s").glob("table.md")
    assert table.read_text().count("died twice (killed by signal 9)") >= 1
    kept = command(here, *MIXED, "workers=2", f"pack={pack}", "retry_failed=false")
    assert kept.code == 1
    assert "A worker died" not in kept.text
    (here / "broken").unlink()
    again = command(here, *MIXED, "workers=2", f"pack={pack}")
    assert again.code == 0, again.text
    assert states(here) == {"kill": ["completed"] * 2, "others": ["completed"] * 4}
    assert leftovers(here / "outputs/s") == []
    assert list((here / "outputs/s").glob(".trial*")) == []


@pytest.mark.slow
@pytest.mark.parametrize("pack", [1, 6])
def test_with_one_worker_other_cells_are_trained_first(here, innocent, pack):
    killed = command(here, *MIXED, f"pack={pack}")
    assert killed.code == -signal.SIGKILL
    assert_only_killers_failed(here, command(here, *MIXED, f"pack={pack}"), innocent)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("by_exiting", "exit code 3"),
        ("by_interrupting", "KeyboardInterrupt"),
        ("by_a_base_exception", "BaseException: not to be caught"),
    ],
)
def test_other_ways_to_end_a_process(here, innocent, how, said):
    choose(here, how)
    ended = command(here, *MIXED, "workers=2", "pack=3")
    assert_only_killers_failed(here, ended, innocent)
    assert said in ended.text


def limit_memory(more_mib: int) -> None:
    """Limit the address space of this process and its workers to the present size plus `more_mib`."""
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + more_mib * 2**20,) * 2)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the size of a process can't be read here")
@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_real_memory_limit(tmp_path, workers):
    sizes = "model.generator_widths=[8],[9],[20000,20000]"
    ended = command(
        tmp_path / "here", sizes, "name=s", f"workers={workers}", fault=functools.partial(limit_memory, 1000)
    )
    assert ended.code == 1, ended.text
    found = [json.loads(path.read_text()) for path in (tmp_path / "here").glob("outputs/s/*/record.json")]
    assert sorted(one["state"] for one in found) == ["completed", "completed", "failed"]
    assert "can't allocate memory" in ended.text or "MemoryError" in ended.text
    assert "Traceback" not in ended.text
