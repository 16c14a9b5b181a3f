"""Damaged files of a sweep are named and renamed, damaged data refused; other files are not changed."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
from pathlib import Path

import pytest
from data_damage import LINE, bad_data
from fault_child import TINY
from fork_server import BLOCK, CONTROL, ForkServer
from sweep_contents import records
from sweep_damage import BYTES, Damage, damages

pytestmark = pytest.mark.slow
GRID = [*TINY, "optimizer=adam", "lr=1e-3,1e-2,1e-4", "name=s", "trainer.tensorboard=true"]
SWEEP = "outputs/s"
NUM_FILES, NUM_FIELDS = 140, 60


@pytest.fixture(scope="module")
def sweep(server, tmp_path_factory) -> Path:
    """Return a sweep with two completed cells and one whose process was killed at step 6 of 12."""
    here = tmp_path_factory.mktemp("sweep")
    killed = server("gansweep", GRID, here, before=["moments", "kill_after_saving", 10])
    assert killed.code == -9, killed.text
    assert len(list((here / SWEEP).glob("*/record.json"))) == 2
    for name in ("table.md", "results.csv"):  # of an earlier command
        (here / SWEEP / name).write_text("earlier")
    return here


@pytest.fixture(scope="module")
def expected(server, sweep, tmp_path_factory) -> dict[str, str]:
    here = tmp_path_factory.mktemp("expected") / "here"
    shutil.copytree(sweep, here)
    assert server("gansweep", GRID, here).code == 0
    return records(here / SWEEP)


def test_a_damaged_file_of_a_sweep(server, sweep, expected, tmp_path):
    cases = _chosen(sweep)
    assert len(cases) >= 100

    def run(number: int) -> list[str]:
        here = tmp_path / str(number)
        shutil.copytree(sweep, here)
        try:
            return [f"{cases[number]}: {fault}" for fault in _faults(server, here, cases[number], expected)]
        finally:
            shutil.rmtree(here, ignore_errors=True)

    server.assert_no_faults(run, len(cases))


def _chosen(sweep: Path) -> list[Damage]:
    record, frozen = (next((sweep / SWEEP).glob(name)) for name in ("*/record.json", "sweep.json"))
    every = list(damages(json.loads(record.read_text()), json.loads(frozen.read_text())))
    whole, fields = ([one for one in every if (one.kind in BYTES) is kind] for kind in (True, False))
    random_ = random.Random(15)
    return random_.sample(whole, NUM_FILES) + random_.sample(fields, NUM_FIELDS)


def _faults(server: ForkServer, here: Path, damage: Damage, expected: dict[str, str]) -> list[str]:
    """Damage a file, read the sweep, run its command again, and return the faults."""
    done = sorted(path.parent.name for path in (here / SWEEP).glob("*/record.json"))
    (unfinished,) = (path.parent.name for path in (here / SWEEP).glob("*/checkpoint.previous.pt"))
    cell = {"finished": done[0], "unfinished": unfinished, "sweep": ""}[damage.where]
    path = next((here / SWEEP / cell).glob(damage.file), None)
    if path is None:
        return ["no such file"]
    untouched = [name for name in done if name != cell]
    before = {name: _contents(here / SWEEP / name) for name in untouched}
    damage(path)
    found = []
    reading, run = server("reading", [SWEEP], here), server("gansweep", GRID, here)
    for what, ended in (("reading", reading), ("run", run)):
        if ended.code != 0 or "Traceback" in ended.text or CONTROL.search(ended.text):
            found.append(f"{what} ended with {ended.code}: {ended.text[-300:]}")
    if damage.is_named and path.name not in run.text:
        found.append(f"run does not name it: {run.text[-300:]}")
    found += [f"{name} changed" for name in untouched if _contents(here / SWEEP / name) != before[name]]
    pipes = [path.name for path in (here / SWEEP).glob("*/record.json") if not path.is_file()]
    found += [f"{name} is still not a file" for name in pipes]
    if run.code == 0 and not pipes:
        now = records(here / SWEEP)
        # An edited field that is not used, such as a version, is kept.
        kept = cell if damage.kind not in BYTES and path.name not in run.text else None
        found += [f"another record of {name}" for name in expected if name != kept and now.get(name) != expected[name]]
    return found


def _contents(directory: Path) -> dict[str, str]:
    files = (path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_damaged_data(server, tmp_path):
    cases = list(bad_data())
    assert len(cases) >= 70

    def run(number: int) -> list[str]:
        data, here = cases[number], tmp_path / f"data{number}"
        here.mkdir()
        data.make(here)
        before = sorted(os.fsencode(path) for path in here.rglob("*"))
        ended = server("gansweep", [*LINE, *data.settings], here)
        after = sorted(os.fsencode(path) for path in here.rglob("*"))
        good = ended.code == 2 and not ended.out and BLOCK.match(ended.err) and data.words in ended.err
        return [] if good and before == after else [f"{data}: {ended.code} {ended.text[-300:]}"]

    server.assert_no_faults(run, len(cases))
