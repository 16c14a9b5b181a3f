"""From the folder of `track try` to an entry file and back to trainings, on a tiny track."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from gansweep.config.errors import BadConfig
from gansweep.track.__main__ import main
from gansweep.track.entry import Entry
from gansweep.track.submission import Source, entry_of
from gansweep.training import record
from tests.track import tiny, trained


@pytest.fixture(scope="module")
def track(tmp_path_factory):
    """The track, in a folder with outputs/."""
    folder = tmp_path_factory.mktemp("track")
    with pytest.MonkeyPatch.context() as patch:
        yield trained.install(patch, folder)


@pytest.fixture
def copied(tmp_path):
    """A copy of the folder of the judging runs, which a test may change."""
    return shutil.copytree(trained.judging(trained.GOOD), tmp_path / "outputs" / trained.judging(trained.GOOD).name)


def _cell(folder, seed):
    (directory,) = (path for path in folder.iterdir() if f"seed={seed}-" in path.name)
    return directory


def _edit(directory, change):
    content = json.loads((directory / record.NAME).read_text())
    content.pop(record.CHECKSUMS)
    change(content)
    record.write(directory, content)


def test_submit_writes_what_verify_confirms(track, capsys):
    assert main(["submit", str(trained.judging(trained.GOOD)), "--author", "A. Author"]) == 0
    file = Path("tracks/tiny/sgd.json")
    assert f"{file}: sgd, score 3 steps, 5 seeds, 4 tuning runs" in capsys.readouterr().out
    entry = Entry.read(file)
    assert entry.times == {0: 0, 1: 3, 2: 0, 3: 0, 4: 0}
    assert entry.settings["lr"] == str(trained.GOOD)
    assert {run.seed for run in entry.tuning.runs} == {1000, 1001}
    assert {run.overrides["lr"] for run in entry.tuning.runs} == {trained.GOOD, trained.DIVERGING}
    assert main(["verify", str(file), *tiny.LIGHT]) == 0
    assert "5 of 5 repeated runs are equal bit for bit" in capsys.readouterr().out
    assert main(["submit", str(trained.judging(trained.GOOD))]) == 2
    assert f"{file} exists already" in capsys.readouterr().err


def test_a_run_that_was_made_up_is_refuted(track, tmp_path, capsys):
    entry = entry_of(track, Source(trained.judging(trained.GOOD)))
    run = replace(entry.runs[1], values={**entry.runs[1].values, 1: 1.8})
    entry = replace(entry, runs={**entry.runs, 1: run})  # the file is consistent
    assert entry.as_json()["score"] == 1
    entry.write(tmp_path / "sgd.json")
    assert main(["verify", str(tmp_path / "sgd.json"), "--static"]) == 0
    assert main(["verify", str(tmp_path / "sgd.json"), "--seeds", "1,2", *tiny.LIGHT]) == 1
    out = capsys.readouterr().out
    assert "1 of 2 repeated runs are equal bit for bit" in out
    assert "seed 1: the value after step 1 is 1.8 in the entry, but 1.9085317437445715 when repeated" in out


def test_diverged_seeds_are_part_of_an_entry(track):
    entry = entry_of(track, Source(trained.judging(trained.DIVERGING)))
    states = [run.state for run in entry.runs.values()]
    assert "diverged" in states
    assert "completed" in states
    assert entry.score == math.inf
    assert entry.as_json()["score"] is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: shutil.rmtree(_cell(folder, 3)), "seed 3: is not trained"),
        (
            lambda folder: _edit(
                _cell(folder, 2), lambda r: r.update(state="failed", error={"type": "OSError", "message": "disk"})
            ),
            "seed 2: its training failed",
        ),
        (
            lambda folder: _edit(
                _cell(folder, 2),
                lambda r: (
                    r.update(state="dropped", dropped={"step": 4}),
                    r["metric"].update(final=None, final_step=None),
                ),
            ),
            "seed 2: was dropped by a race",
        ),
        (
            lambda folder: _edit(_cell(folder, 4), lambda r: r["versions"].update(torch="2.1")),
            "versions.torch: the seeds were trained with 2.1 and ",
        ),
        (
            lambda folder: _edit(_cell(folder, 4), lambda r: r["device"].update(name="another CPU")),
            "device.name: the seeds were trained with ",
        ),
        (
            lambda folder: shutil.copytree(trained.judging(trained.DIVERGING), folder, dirs_exist_ok=True),
            "differ in lr",
        ),
        (lambda folder: shutil.copytree(trained.tuning(), folder, dirs_exist_ok=True), "differ in lr"),
        (lambda folder: shutil.rmtree(folder), "contains no cells"),
    ],
)
def test_what_is_not_submitted(track, copied, change, message):
    change(copied)
    with pytest.raises(BadConfig) as error:
        entry_of(track, Source(copied))
    assert message in str(error.value)


def test_another_tuning_is_refused(track, tmp_path):
    other = shutil.copytree(trained.judging(trained.DIVERGING), tmp_path / "other")
    with pytest.raises(BadConfig, match="has no run with the settings of the entry"):
        entry_of(track, Source(trained.judging(trained.GOOD), tuning=other))


def test_a_skeptical_run_uses_new_seeds(track, tmp_path, capsys):
    entry = entry_of(track, Source(trained.judging(trained.GOOD)))
    entry.write(tmp_path / "sgd.json")
    assert main(["verify", str(tmp_path / "sgd.json"), "--skeptical", "3", *tiny.LIGHT]) == 0
    out = capsys.readouterr().out
    assert "Seeds 2000 to 2002: score infinite (entry: 3 steps)" in out
    assert "the claim holds" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seeds", "0,7"], "--seeds=0,7: expected judging seeds, 0 to 4, each once"),
        (["--seeds", "1,1"], "each once"),
        (["--skeptical", "-1"], "--skeptical=-1"),
        (["lr=0.1"], "lr=0.1: a setting of the entry"),
        (["steps=3"], "steps=3: track tiny fixes it"),
    ],
)
def test_wrong_options_of_verify(track, tmp_path, capsys, words, message):
    entry_of(track, Source(trained.judging(trained.GOOD))).write(tmp_path / "sgd.json")
    assert main(["verify", str(tmp_path / "sgd.json"), *words]) == 2
    assert message in capsys.readouterr().err
