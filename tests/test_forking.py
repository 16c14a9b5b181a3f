"""Calls in forks. Mistakes: a result that is lost, a fork that fails without an answer, a wait without end,
a fork that outlives an interrupted command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from gansweep.forking import Forked, can_fork

HERE = os.getpid()
INTERRUPTED = """
import os, signal, sys, time
from gansweep.console import exit_code
from gansweep.forking import Forked

def work():
    fork = Forked(lambda: time.sleep(60))
    print(fork._pid, flush=True)
    os.kill(os.getpid(), signal.SIGINT)
    fork.result()

signal.signal(signal.SIGINT, signal.default_int_handler)  # which a background job ignores
sys.exit(exit_code(work))
"""


@pytest.mark.skipif(not can_fork(), reason="processes can't be forked here")
def test_the_result_is_of_another_process_with_the_data_of_this_one():
    data = ["x" * 1_000_000]  # more than a pipe holds
    forks = [Forked(lambda: (os.getpid(), data)) for _ in range(2)]
    data.append("later")
    results = [fork.result() for fork in forks]
    assert [content for _, content in results] == [data[:1]] * 2
    assert len({HERE, *(process for process, _ in results)}) == 3


def _raises():
    raise ValueError("no")


def _dies():
    if os.getpid() != HERE:
        os.kill(os.getpid(), signal.SIGKILL)
    return 1


def _cannot_be_pickled():
    return _cannot_be_pickled if os.getpid() == HERE else lambda: None


@pytest.mark.parametrize(("function", "result"), [(_dies, 1), (_cannot_be_pickled, _cannot_be_pickled)])
def test_a_call_that_fails_is_repeated_here(function, result, capfd):
    assert Forked(function).result() == result
    assert capfd.readouterr() == ("", "")


def test_an_exception_is_raised_here(capfd):
    fork = Forked(_raises)
    with pytest.raises(ValueError, match="no"):
        fork.result()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("function", ["os.fork", "tempfile.TemporaryFile"])
def test_without_a_process_or_a_file_the_function_is_called_here(monkeypatch, function):
    def fails():
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(function, fails, raising=False)
    assert Forked(os.getpid).result() == HERE


@pytest.mark.skipif(not can_fork(), reason="processes can't be forked here")
def test_an_interrupted_command_ends_its_forks():
    """Also if only the command itself gets SIGINT."""
    ended = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=50)
    assert (ended.returncode, ended.stderr) == (130, "")
    for _ in range(100):  # its parent may be another process, which has to wait for it
        try:
            os.kill(int(ended.stdout), 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("the fork is still running")
