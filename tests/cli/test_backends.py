"""Packs on the machines of a backend, simulated by processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import time
from types import SimpleNamespace

import pytest
from tests.cli.test_distribution import SETTINGS, left

from gansweep.cli import backends
from gansweep.forking import can_fork

pytestmark = pytest.mark.skipif(not can_fork(), reason="processes can't be forked here")

# Two that diverge, two that end earlier.
GRID = ["-m", "lr=1e-3,1e30", "steps=4,7"]
THERE = ["hydra/launcher=fused", "hydra.launcher.backend=submitit"]


class Process:
    """A task that shares only files with this process."""

    def __init__(self, work, kill: bool = False) -> None:
        content = pickle.dumps(work)
        self.process = multiprocessing.get_context("fork").Process(target=self._work, args=(content,))
        self.process.start()
        if kill:
            self.process.kill()

    @staticmethod
    def _work(content: bytes) -> None:
        os._exit(pickle.loads(content)())

    def ended(self):
        return self.process.exitcode is not None

    def cancel(self):
        os.kill(self.process.pid, signal.SIGTERM)

    def trouble(self):
        return None if self.process.exitcode in (0, 1, 130) else f"exit code {self.process.exitcode}"


@pytest.fixture
def asked(monkeypatch):
    """Return the requests to the backend, whose tasks begin at once."""
    requests = []

    def submit(request):
        requests.append(request)
        return [Process(request.work) for _ in range(request.tasks)]

    monkeypatch.setattr(backends, "installed", lambda name: True)
    monkeypatch.setattr(backends, "backend", lambda name: SimpleNamespace(submit=submit))
    monkeypatch.setattr("gansweep.cli.backends.LOOK_EVERY_S", 0.01)
    return requests


@pytest.fixture
def in_turn(asked, monkeypatch):
    """Start every task after the previous one has ended, as on a cluster with a queue."""

    def submit(request):
        started = []
        for _ in range(request.tasks):
            started.append(Process(request.work))
            started[-1].process.join()
        return started

    monkeypatch.setattr(backends, "backend", lambda name: SimpleNamespace(submit=submit))


def test_tasks_write_the_same_files_as_one_machine(gansweep, asked):
    def train(name, *how):
        answer = gansweep(*SETTINGS, *GRID, f"hydra.sweep.dir={name}", "fresh=true", *how)  # not from the other one
        assert answer.code == 0, answer.err
        return left(gansweep.folder / name), answer.out

    (here, table), (there, other) = train("here", "pack=2"), train("there", "pack=2", *THERE, "hydra.launcher.tasks=2")
    assert here == there
    assert table.partition("Command")[0] == other.partition("Command")[0]
    assert "| steps" in table
    (request,) = asked
    assert (request.tasks, request.cpus, request.gpus) == (2, 1, 0)
    assert request.settings["timeout_min"] > 0


def test_no_task_starts_if_all_cells_are_finished(gansweep, asked):
    gansweep.tiny("name=both")
    assert gansweep.tiny("name=both", *THERE).code == 0
    assert asked == []


def test_the_pack_size_allows_for_all_tasks_and_is_recorded(gansweep, in_turn, monkeypatch):
    """Eight cells for two machines of two cores: packs of two, even if the second machine comes late.

    Two processes share the cells, so a process may find only one cell that is not locked.
    """
    monkeypatch.setattr("gansweep.training.pack_size._seconds_per_step", lambda runs, stop: 1.0)  # packs cost no time
    how = ["hydra.launcher.tasks=2", "hydra.launcher.cpus=2", "workers=auto", "pack=auto"]
    assert gansweep.tiny("-m", "seed=range(8)", "name=s", *THERE, *how).code == 0
    packs = [found["pack"] for found in gansweep.records("s").values()]
    assert max(pack["members"] for pack in packs) == 2
    measured = {"workers": 2, "tasks": 2, "alone_ms": 1000.0, "together_ms": 500.0}
    assert [pack | {"members": 2} for pack in packs] == [measured | {"members": 2}] * 8


def test_a_killed_task_is_reported_and_its_cells_are_trained(gansweep, asked, monkeypatch):
    def submit(request):
        return [Process(request.work, kill=True), Process(request.work)]

    monkeypatch.setattr(backends, "backend", lambda name: SimpleNamespace(submit=submit))
    answer = gansweep.tiny("-m", "seed=0,1", "name=k", *THERE)
    assert answer.code == 0
    assert "submitit: exit code -9" in answer.out + answer.err


def test_a_failed_cell_is_tried_once_again_whatever_the_number_of_tasks(gansweep, in_turn, monkeypatch):
    tried = gansweep.folder / "tried"

    def broken(cell):
        with tried.open("a") as file:
            file.write("x")
        raise RuntimeError("again")

    monkeypatch.setattr("gansweep.cli.job.run_of", broken)
    for times in (1, 2):
        assert gansweep.tiny("name=f", *THERE, "hydra.launcher.tasks=3").code == 1
        assert len(tried.read_text()) == times
    monkeypatch.undo()


def test_ctrl_c_is_passed_on(gansweep, asked, monkeypatch):
    """A task sends the signal while it trains; all save, and the same command continues."""
    parent, note = os.getpid(), "gansweep.training.session.TrainingSession.write_outputs"
    from gansweep.training.session import TrainingSession

    noted = TrainingSession.write_outputs

    def press(self):
        noted(self)
        if self.step == 3 and os.getpid() != parent:
            os.kill(parent, signal.SIGINT)
            time.sleep(0.3)

    with monkeypatch.context() as patch:
        patch.setattr(note, press)
        answer = gansweep.tiny("steps=100", "name=c", *THERE)
    assert answer.code == 130
    assert "To continue:" in answer.out
    assert len(list(gansweep.folder.glob("outputs/c/*/checkpoint.pt"))) == 1
    assert gansweep.records("c") == {}
    assert gansweep.tiny("steps=100", "name=c").code == 0


def test_code_that_was_edited_since_is_refused(gansweep, asked, monkeypatch):
    def submit(request):
        monkeypatch.setattr("gansweep.training.run.NUMERICS", "another")
        with pytest.raises(ValueError, match="its hash has changed"):
            request.work()
        return []

    monkeypatch.setattr(backends, "backend", lambda name: SimpleNamespace(submit=submit))
    assert gansweep.tiny("name=e", *THERE).code == 1
    assert gansweep.records("e") == {}


def test_another_sweeper_gets_results_of_tasks(gansweep, asked):
    line = ["hydra/sweeper=basic", "name=b", *THERE, "hydra.sweeper.max_batch_size=2", "hydra.launcher.tasks=2"]
    answer = gansweep.tiny("-m", "seed=0,1,2,3", *line)
    assert answer.code == 0
    assert answer.out.count("Command:") == 1
    assert len(asked) == 2
    assert len(gansweep.records("b")) == 4


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("backend=dask", "hydra.launcher.backend=dask: Choose one of local, ray, submitit"),
        ("tasks=0", "hydra.launcher.tasks=0: expected a whole number from 1 to 1024"),
        ("gpus=1.5", "hydra.launcher.gpus=1.5: expected a whole number from 0 to 1024"),
    ],
)
def test_wrong_settings_of_the_launcher_are_refused(line, told, gansweep):
    answer = gansweep.tiny("-m", "hydra/launcher=fused", f"hydra.launcher.{line}")
    assert answer.code == 2
    assert told in answer.err
    assert list(gansweep.folder.iterdir()) == []


def test_an_extra_that_is_missing_is_named(gansweep, monkeypatch):
    monkeypatch.setattr(backends, "find_spec", lambda name: None)
    answer = gansweep.tiny(*THERE)
    assert answer.code == 2
    assert 'backend=submitit: submitit is not installed: pip install "gansweep[submitit]"' in answer.err


def test_settings_that_the_backend_refuses_are_reported(gansweep, asked, monkeypatch):
    def submit(request):
        raise ValueError("Unknown argument 'partitoin'")

    monkeypatch.setattr(backends, "backend", lambda name: SimpleNamespace(submit=submit))
    answer = gansweep.tiny("name=r", *THERE)
    assert answer.code == 2
    assert "hydra.launcher.submitit: Unknown argument 'partitoin'" in answer.err
