"""Calls in forks. Mistakes: a result that is lost, a fork that fails without an answer, a wait without end."""

from __future__ import annotations

import os
import signal

import pytest

from gansweep.forking import Forked, can_fork

HERE = os.getpid()


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
