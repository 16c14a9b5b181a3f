"""A process that is killed while it continues a shorter run, and two processes that continue the same cells."""

from __future__ import annotations

import functools
import os
import signal

import pytest
from fault_child import Running, command
from sweep_contents import finals, leftovers, records

SHORT = ("optimizer=adam,sgd", "seed=1,2", "steps=7", "name=s", "trainer.keep=best", "pack=2")
LONG = tuple("steps=12" if text == "steps=7" else text for text in SHORT)
MOMENTS = {
    "outputs copied": "gansweep.training.checkpoint.save",
    "checkpoint written": "gansweep.training.checkpoint.check_resumable",
    "evaluation completed": "gansweep.training.evaluator.Evaluator.complete",
}


def kill_at_call(name: str, number: int) -> None:
    """Kill the process at the n-th call of a function."""
    import pkgutil

    owner_name, _, attribute = name.rpartition(".")
    owner = pkgutil.resolve_name(owner_name)
    original, calls = getattr(owner, attribute), []

    def counted(*arguments, **named):
        calls.append(1)
        if len(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments, **named)

    setattr(owner, attribute, counted)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The sweep of the longer runs, trained from the first step."""
    here = tmp_path_factory.mktemp("straight") / "here"
    assert command(here, *LONG).code == 0
    return here / "outputs/s"


FAST = "outputs copied"


@pytest.mark.parametrize("moment", [pytest.param(m, marks=() if m == FAST else pytest.mark.slow) for m in MOMENTS])
def test_killed_and_typed_again(tmp_path, expected, moment):
    here = tmp_path / "here"
    assert command(here, *SHORT).code == 0
    killed = command(here, *LONG, fault=functools.partial(kill_at_call, MOMENTS[moment], 2))
    assert killed.code == -signal.SIGKILL, killed.text
    ended = command(here, *LONG)
    assert ended.code == 0, ended.text
    check(here / "outputs/s", expected)


@pytest.mark.slow
def test_two_processes_continue_each_cell_once(tmp_path, expected):
    here = tmp_path / "here"
    assert command(here, *SHORT).code == 0
    both = [Running(here, LONG) for _ in range(2)]
    assert [one.end().code for one in both] == [0, 0]
    check(here / "outputs/s", expected)


def check(sweep, expected):
    longer = finals(expected).keys()
    assert {name: value for name, value in finals(sweep).items() if name in longer} == finals(expected)
    assert all("continued" in path.read_text() for name in longer for path in sweep.glob(f"{name}/record.json"))
    for name in longer:
        kept = [path.name for path in sorted((expected / name / "weights").iterdir())]
        assert [path.name for path in sorted((sweep / name / "weights").iterdir())] == kept
    assert len(records(sweep)) == 2 * len(longer)
    assert leftovers(sweep) == []
