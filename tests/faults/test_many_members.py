"""A pack of many members needs neither a file descriptor nor a thread for each of them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from tests.cli.tiny import TINY

NUM_MEMBERS, LIMIT = 200, 256
CHILD = """
import json, os, resource, sys, threading

resource.setrlimit(resource.RLIMIT_NOFILE, ({limit}, {limit}))
from gansweep.training import trainer

train_pack = trainer._train_pack


def counted(pack, sessions, stop):
    counts = {{"members": len(sessions), "threads": threading.active_count()}}
    counts["descriptors"] = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    with open("counts.jsonl", "a") as file:
        print(json.dumps(counts), file=file)
    return train_pack(pack, sessions, stop)


trainer._train_pack = counted
from gansweep.__main__ import main

main()
"""


@pytest.mark.slow
def test_a_pack_of_many_members_opens(tmp_path):
    settings = [line for line in TINY if not line.startswith(("pack", "trainer.tensorboard"))]
    grid = [
        f"seed=range({NUM_MEMBERS})",
        f"pack={NUM_MEMBERS}",
        "data=ring",
        "trainer.log_every=1",
        "hydra.sweep.dir=out",
    ]
    command = [sys.executable, "-c", CHILD.format(limit=LIMIT), "-m", *settings, *grid]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    counts = [json.loads(line) for line in (tmp_path / "counts.jsonl").read_text().splitlines()]
    assert [count["members"] for count in counts] == [NUM_MEMBERS]
    assert counts[0]["threads"] < 10
    assert counts[0]["descriptors"] < 30
    records = [json.loads(path.read_text()) for path in tmp_path.glob("out/*/record.json")]
    assert len(records) == NUM_MEMBERS
    assert {record["state"] for record in records} == {"completed"}
    for name in ("events.out.tfevents.*", "gansweep.log"):
        assert len({path.parent for path in tmp_path.glob(f"out/*/{name}")}) == NUM_MEMBERS
