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
    """Leave a claim as a process elsewhere would have."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f".claim.{number}"
    path.write_text(json.dumps({"host": host, "pid": 1, "started": "0"}))
    then = time.time() - age_s
    os.utime(path, (then, then))


def claim_files(directory):
    return sorted(path.name for path in directory.iterdir() if path.name.startswith((".claim", ".draft")))


def test_only_one_can_have_it(tmp_path):
    first = Claim.acquire(tmp_path / "cell")
    assert first is not None
    assert Claim.acquire(tmp_path / "cell") is None
    first.release()
    assert cell_lock.holder(tmp_path / "cell") is None
    second = Claim.acquire(tmp_path / "cell")
    assert second is not None
    assert cell_lock.holder(tmp_path / "cell").items() >= process.here().items()
    second.release()


def test_a_living_process_keeps_it_and_a_killed_one_loses_it(tmp_path):
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


def test_a_process_with_the_number_of_a_dead_one_is_not_taken_for_it(tmp_path):
    owner = process.here()
    (tmp_path / ".claim.0").write_text(json.dumps(owner | {"started": "1"}))
    assert cell_lock.holder(tmp_path) is None
    (tmp_path / ".claim.0").write_text(json.dumps(owner))
    assert cell_lock.holder(tmp_path) is not None


@pytest.mark.parametrize("host", ["another machine", None])
def test_elsewhere_the_heartbeat_decides(tmp_path, host):
    abandoned(tmp_path, host=host, age_s=cell_lock.STALE_S - 60)
    assert Claim.acquire(tmp_path) is None
    abandoned(tmp_path, host=host, age_s=cell_lock.STALE_S + 60)
    claim = Claim.acquire(tmp_path)
    assert claim is not None
    claim.release()


def test_the_clock_of_this_machine_does_not_matter(tmp_path, monkeypatch):
    abandoned(tmp_path)
    now = time.time()
    for offset in (-1e6, 1e6):
        monkeypatch.setattr(time, "time", lambda shift=offset: now + shift)
        assert Claim.acquire(tmp_path) is None
        assert cell_lock.holder(tmp_path) is not None


def test_of_many_who_take_over_one_succeeds(tmp_path):
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


def test_who_comes_late_with_an_old_number_steps_back(tmp_path, monkeypatch):
    """Somebody saw the dead claim 0; until he acts, another one has taken over and released."""
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


def test_a_frozen_owner_notices_that_it_lost_the_claim(tmp_path, monkeypatch):
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


def test_the_heart_beats(tmp_path, monkeypatch):
    monkeypatch.setattr(cell_lock, "HEARTBEAT_S", 0.01)
    claim = Claim.acquire(tmp_path)
    assert claim is not None
    os.utime(claim.path, (0, 0))
    until = time.monotonic() + 5
    while claim.path.stat().st_mtime == 0 and time.monotonic() < until:
        time.sleep(0.01)
    assert claim.path.stat().st_mtime > 0
    claim.release()


def test_nothing_remains_of_a_finished_cell(tmp_path):
    abandoned(tmp_path, age_s=2 * cell_lock.STALE_S)
    with Claim.acquire(tmp_path) as claim:
        claim.release(finished=True)
    assert claim_files(tmp_path) == []


def test_a_file_system_without_hard_links_will_do(tmp_path, monkeypatch):
    def link(*_):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", link)
    claim = Claim.acquire(tmp_path)
    assert claim is not None
    assert Claim.acquire(tmp_path) is None
    claim.release()


def test_a_link_whose_answer_was_lost_is_ours(tmp_path, monkeypatch):
    link = os.link

    def twice(source, target):
        link(source, target)
        link(source, target)

    monkeypatch.setattr(os, "link", twice)
    claim = Claim.acquire(tmp_path)
    assert claim is not None
    claim.release()


def test_a_directory_that_is_not_there_or_a_file_is_free(tmp_path):
    (tmp_path / "file").write_text("")
    assert cell_lock.holder(tmp_path / "nothing") is None
    assert cell_lock.holder(tmp_path / "file") is None


def test_a_claim_with_a_time_in_the_future_is_waited_for_no_longer_than_any_other(tmp_path, monkeypatch):
    abandoned(tmp_path, age_s=-1e9)
    assert Claim.acquire(tmp_path) is None
    later = time.monotonic() + cell_lock.STALE_S + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    claim = Claim.acquire(tmp_path)
    assert claim is not None
    claim.release()


def test_a_heartbeat_in_the_future_is_a_sign_of_life(tmp_path, monkeypatch):
    now = time.monotonic()
    for beat in range(5):
        abandoned(tmp_path, age_s=-1e9 - beat)
        monkeypatch.setattr(time, "monotonic", lambda beat=beat: now + beat * 0.9 * cell_lock.STALE_S)
        assert Claim.acquire(tmp_path) is None


@pytest.mark.parametrize("kind", ["pipe", "folder", "garbage", "a million digits"])
def test_a_claim_that_is_none_is_waited_for_like_one_of_another_machine(tmp_path, kind):
    path = tmp_path / ".claim.0"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_text("{" if kind == "garbage" else '{"pid": 1' + "0" * 10**6 + "}")
    assert Claim.acquire(tmp_path) is None
    assert cell_lock.suspicion(tmp_path) is None
    os.utime(path, (0, 0))
    claim = Claim.acquire(tmp_path)
    assert claim is not None
    claim.release(finished=True)


def test_a_dead_process_is_left_to_its_living_supervisor(tmp_path):
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


def test_an_owner_that_lost_its_claim_does_not_touch_the_new_one(tmp_path):
    claim = Claim.acquire(tmp_path)
    assert claim is not None
    assert not claim.is_lost()
    (tmp_path / ".claim.0").unlink()
    abandoned(tmp_path, number=1)
    assert claim.is_lost()
    claim.release(finished=True)
    claim.release()
    assert claim_files(tmp_path) == [".claim.1"]
