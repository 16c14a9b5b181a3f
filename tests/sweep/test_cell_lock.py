"""Locks of cell directories between processes."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
import time

import pytest

from gansweep.sweep import cell_lock, process
from gansweep.sweep.cell_lock import Claim

HOLD = """
import sys, time
from pathlib import Path
from gansweep.sweep.cell_lock import Claim
assert Claim.acquire(Path(sys.argv[1])) is not None
print("claimed", flush=True)
time.sleep(60)
"""


def claiming_child(directory):
    child = subprocess.Popen([sys.executable, "-c", HOLD, str(directory)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "claimed\n"
    return child


def abandoned(directory, *, host="another machine", age_s=0.0, number=0):
    """Write a claim as a process of another machine would."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f".claim.{number}"
    path.write_text(json.dumps({"host": host, "pid": 1, "started": "0"}))
    then = time.time() - age_s
    os.utime(path, (then, then))


def claim_files(directory):
    return sorted(path.name for path in directory.iterdir() if path.name.startswith((".claim", ".draft")))


def test_a_directory_has_one_owner(tmp_path):
    first = Claim.acquire(tmp_path / "cell")
    assert first is not None
    assert Claim.acquire(tmp_path / "cell") is None
    first.release()
    assert cell_lock.holder(tmp_path / "cell") is None
    second = Claim.acquire(tmp_path / "cell")
    assert second is not None
    assert cell_lock.holder(tmp_path / "cell").items() >= process.here().items()
    second.release()


def test_a_claim_is_valid_until_its_process_is_killed(tmp_path):
    child = claiming_child(tmp_path)
    try:
        assert Claim.acquire(tmp_path) is None
        child.kill()
        # Not waited for yet: to the kernel the process is still there, as a zombie.
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        claim = Claim.acquire(tmp_path)
        assert claim is not None
        claim.release()
    finally:
        child.kill()
        child.communicate()


def test_a_reused_pid_is_not_the_owner(tmp_path):
    owner = process.here()
    (tmp_path / ".claim.0").write_text(json.dumps(owner | {"started": "1"}))
    assert cell_lock.holder(tmp_path) is None
    (tmp_path / ".claim.0").write_text(json.dumps(owner))
    assert cell_lock.holder(tmp_path) is not None


@pytest.mark.parametrize("host", ["another machine", None])
def test_the_heartbeat_decides_for_processes_of_other_machines(tmp_path, host):
    abandoned(tmp_path, host=host, age_s=cell_lock.STALE_S - 60)
    assert Claim.acquire(tmp_path) is None
    abandoned(tmp_path, host=host, age_s=cell_lock.STALE_S + 60)
    claim = Claim.acquire(tmp_path)
    assert claim is not None
    claim.release()


def test_the_local_clock_has_no_effect(tmp_path, monkeypatch):
    abandoned(tmp_path)
    now = time.time()
    for offset in (-1e6, 1e6):
        monkeypatch.setattr(time, "time", lambda shift=offset: now + shift)
        assert Claim.acquire(tmp_path) is None
        assert cell_lock.holder(tmp_path) is not None


def test_one_of_many_concurrent_takeovers_succeeds(tmp_path):
    for attempt in range(20):
        directory = tmp_path / str(attempt)
        abandoned(directory, age_s=2 * cell_lock.STALE_S)
        won, start = [], threading.Barrier(8)

        def take(directory=directory, won=won, start=start):
            start.wait()
            won.append(Claim.acquire(directory))

        threads = [threading.Thread(target=take) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        winners = [claim for claim in won if claim is not None]
        assert len(winners) == 1
        winners[0].release()
        assert claim_files(directory) == [".claim.1"]


def test_a_late_takeover_of_an_old_claim_fails(tmp_path, monkeypatch):
    """A process read the dead claim 0; before it acts, another one takes over and releases."""
    abandoned(tmp_path, age_s=2 * cell_lock.STALE_S)
    held = cell_lock._held

    def meanwhile(path, draft):
        answer = held(path, draft)
        monkeypatch.setattr(cell_lock, "_held", held)
        other = Claim.acquire(tmp_path)
        assert other is not None
        other.release()
        third = Claim.acquire(tmp_path)
        assert third is not None
        assert claim_files(tmp_path)[0] == ".claim.2"
        living.append(third)
        return answer

    living = []
    monkeypatch.setattr(cell_lock, "_held", meanwhile)
    assert Claim.acquire(tmp_path) is None
    assert living[0].refresh()
    assert claim_files(tmp_path) == [".claim.2"]
    living[0].release()


def test_a_suspended_owner_detects_that_its_claim_was_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(cell_lock, "HEARTBEAT_S", 0.01)
    claim = Claim.acquire(tmp_path)
    assert claim is not None
    assert claim.refresh()
    abandoned(tmp_path, number=1)
    until = time.monotonic() + 5
    while not claim.lost and time.monotonic() < until:
        time.sleep(0.01)
    assert claim.lost
    claim.release()


def test_the_heartbeat_updates_the_time_stamp(tmp_path, monkeypatch):
    monkeypatch.setattr(cell_lock, "HEARTBEAT_S", 0.01)
    claim = Claim.acquire(tmp_path)
    assert claim is not None
    os.utime(claim.path, (0, 0))
    until = time.monotonic() + 5
    while claim.path.stat().st_mtime == 0 and time.monotonic() < until:
        time.sleep(0.01)
    assert claim.path.stat().st_mtime > 0
    claim.release()


def test_no_claim_file_remains_of_a_finished_cell(tmp_path):
    abandoned(tmp_path, age_s=2 * cell_lock.STALE_S)
    with Claim.acquire(tmp_path) as claim:
        claim.release(finished=True)
    assert claim_files(tmp_path) == []


def test_a_file_system_without_hard_links(tmp_path, monkeypatch):
    def link(*_):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", link)
    claim = Claim.acquire(tmp_path)
    assert claim is not None
    assert Claim.acquire(tmp_path) is None
    claim.release()


def test_a_repeated_link_request_succeeds(tmp_path, monkeypatch):
    link = os.link

    def twice(source, target):
        link(source, target)
        link(source, target)

    monkeypatch.setattr(os, "link", twice)
    claim = Claim.acquire(tmp_path)
    assert claim is not None
    claim.release()


def test_a_missing_directory_and_a_file_are_unlocked(tmp_path):
    (tmp_path / "file").write_text("")
    assert cell_lock.holder(tmp_path / "nothing") is None
    assert cell_lock.holder(tmp_path / "file") is None


def test_a_claim_with_a_future_time_stamp_becomes_stale(tmp_path, monkeypatch):
    abandoned(tmp_path, age_s=-1e9)
    assert Claim.acquire(tmp_path) is None
    later = time.monotonic() + cell_lock.STALE_S + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    claim = Claim.acquire(tmp_path)
    assert claim is not None
    claim.release()


def test_an_updated_time_stamp_in_the_future_is_a_heartbeat(tmp_path, monkeypatch):
    now = time.monotonic()
    for beat in range(5):
        abandoned(tmp_path, age_s=-1e9 - beat)
        monkeypatch.setattr(time, "monotonic", lambda beat=beat: now + beat * 0.9 * cell_lock.STALE_S)
        assert Claim.acquire(tmp_path) is None


@pytest.mark.parametrize("kind", ["pipe", "folder", "garbage", "a million digits"])
def test_an_unreadable_claim_becomes_stale(tmp_path, kind):
    path = tmp_path / ".claim.0"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_text("{" if kind == "garbage" else '{"pid": 1' + "0" * 10**6 + "}")
    assert Claim.acquire(tmp_path) is None
    assert cell_lock.crash_history(tmp_path) is None
    os.utime(path, (0, 0))
    claim = Claim.acquire(tmp_path)
    assert claim is not None
    claim.release(finished=True)


def test_only_the_supervisor_takes_over_from_a_dead_worker(tmp_path):
    child = claiming_child(tmp_path)
    try:
        dead = process.here() | {"pid": 2**22 + 1}
        for supervisor, free in ((process.here(), True), (cell_lock.owner(tmp_path), False), (dead, True)):
            directory = tmp_path / str(supervisor["pid"])
            directory.mkdir()
            (directory / ".claim.0").write_text(json.dumps(dead | {"supervisor": supervisor}))
            claim = Claim.acquire(directory)
            assert (claim is not None) is free
            if claim is not None:
                claim.release()
    finally:
        child.kill()
        child.communicate()


def test_releasing_a_lost_claim_keeps_the_new_one(tmp_path):
    claim = Claim.acquire(tmp_path)
    assert claim is not None
    assert not claim.is_lost()
    (tmp_path / ".claim.0").unlink()
    abandoned(tmp_path, number=1)
    assert claim.is_lost()
    claim.release(finished=True)
    claim.release()
    assert claim_files(tmp_path) == [".claim.1"]


def test_a_symbolic_link_to_itself_is_taken_over_when_it_is_old(tmp_path):
    path = tmp_path / ".claim.0"
    path.symlink_to(path.name)
    assert Claim.acquire(tmp_path) is None
    os.utime(path, (1, 1), follow_symlinks=False)
    claim = Claim.acquire(tmp_path)
    assert claim is not None
    assert claim.number == 1
    claim.release()
