"""A record with a field of another type is reported; the table and other records are not affected."""

from __future__ import annotations

import io
import json
import os
from dataclasses import replace

import pytest
from fake_cells import Trainer, cell, diverged, one_by_one, record, write

from gansweep import results
from gansweep.results.frame import spreadsheet
from gansweep.results.table import table
from gansweep.results.table import write as write_table
from gansweep.sweep import records
from gansweep.sweep.progress import Progress
from gansweep.sweep.sweep import Sweep

ODD = ("x", 10**400, -1, 1.5, True, None, [], ["x"], [1], {}, {"x": 1})


def paths(node, where=()):
    """List every place of a record."""
    found = [where] if where else []
    for key, inner in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        found += paths(inner, (*where, key))
    return found


def changed(node, where, value):
    first, *more = where
    inner = changed(node[first], more, value) if more else value
    if isinstance(node, dict):
        return {**node, first: inner}
    return [inner if place == first else other for place, other in enumerate(node)]


def readable(directory) -> bool:
    try:
        return records.read(directory) is not None
    except records.UnreadableRecord as error:
        assert str(directory / "record.json") in str(error)
        assert len(str(error)) < 400
        return False


@pytest.mark.parametrize("kind", ["completed", "diverged", "failed"])
def test_whatever_stands_in_a_record_the_table_is_made(tmp_path, kind):
    """Every field in turn, except the settings in config, cell and identity."""
    one, other = cell(tmp_path, optimizer="adam"), cell(tmp_path, optimizer="sgd")
    write(other, record(other))
    error = {"type": "ValueError", "message": "no", "traceback": ""}
    whole = {
        "completed": record(one, metric_2={"name": "m", "final": 1.0}, pack={"members": 2}, curves=[{"step": 1}]),
        "diverged": diverged(one),
        "failed": record(one, None, state="failed", metric=None, error=error),
    }[kind]
    sweep = Sweep(tmp_path, [one, other])
    tried = refused = 0
    for where in paths(whole):
        if where[0] in ("identity", "config") and len(where) > 1:
            continue
        for value in ODD:
            write(one, changed(whole, where, value))
            tried += 1
            if readable(one.directory):
                read = sweep.results
                assert {result.cell.hash for result in read} == {one.hash, other.hash}
                assert "sgd" in table(read, ["line"])
                assert "sgd" in spreadsheet(read)
            else:
                refused += 1
    assert tried > 200
    assert refused > 80


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("metric", "final"), 10**400),
        (("metric", "fingerprint"), [1]),
        (("metric", "name"), None),
        (("versions",), ["x"]),
        (("error",), "boom"),
        (("config", "trainer"), "x"),
        (("format",), 10**400),
        (("time", "wall_s"), "long"),
    ],
)
def test_a_bad_record_is_named_once_and_made_anew(tmp_path, caplog, where, value):
    one, other = cell(tmp_path, optimizer="adam"), cell(tmp_path, optimizer="sgd")
    write(other, record(other))
    write(one, changed(record(one) | {"config": one.config | {"trainer": {}}}, where, value))
    sweep = Sweep(tmp_path, [one, other])
    text = write_table(sweep)
    assert "sgd" in text
    assert caplog.text.count(str(one.directory / "record.json")) == 1
    with pytest.warns(UserWarning, match=r"optimizer=adam.*record\.json"):
        assert len(results.load(tmp_path)) == 1
    quiet = Progress(2, io.StringIO())
    trainer = Trainer()
    assert Sweep(tmp_path, [one, other]).run(one_by_one(trainer), progress=quiet).exit_code == 0
    assert trainer.trained == [one.name]
    assert (one.directory / "record.previous.json").exists()


def test_the_record_of_another_cell_is_named_when_it_is_renamed(tmp_path, caplog):
    one, other = cell(tmp_path, optimizer="adam"), cell(tmp_path, optimizer="sgd")
    write(one, record(other))
    assert Sweep(tmp_path, [one]).run(one_by_one(Trainer()), progress=Progress(1, io.StringIO())).exit_code == 0
    assert caplog.text.count("belongs to another run") == 1
    assert other.hash[:8] in caplog.text
    assert json.loads((one.directory / "record.previous.json").read_text())["cell"]["hash"] == other.hash


FOLDERS, FILES = (".hydra", "samples"), ("gansweep.log", "record.json", "events.out.tfevents.1")


@pytest.mark.parametrize("name", [*FOLDERS, *FILES, ".hydra/config.yaml", "samples/step_0000001.png"])
@pytest.mark.parametrize("kind", ["file", "folder", "pipe"])
def test_what_is_in_the_way_in_a_cells_directory_is_renamed(tmp_path, caplog, name, kind):
    (one,) = [cell(tmp_path, optimizer="adam")]
    path = one.directory / name
    path.parent.mkdir(parents=True)
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.write_text("")
    assert Sweep(tmp_path, [one]).run(one_by_one(Trainer()), progress=Progress(1, io.StringIO())).exit_code == 0
    fits = kind == ("folder" if name in FOLDERS else "file")
    if name != "record.json":
        assert path.with_name(path.name + ".unreadable").exists() is not fits
        assert (f"{path} is a file or a folder where the other one is expected" in caplog.text) is not fits
    assert replace(one) == one
    assert readable(one.directory)
