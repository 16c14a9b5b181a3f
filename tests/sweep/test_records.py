"""Mistake tested: an edited record is used."""

from __future__ import annotations

import copy
import json

import pytest
from fake_cells import cell, record, write

from gansweep.sweep import records
from gansweep.sweep.cell import State, state
from gansweep.sweep.identity import digest
from gansweep.sweep.sweep import Sweep
from gansweep.training import record as records_of

ANOTHER = {str: "another", int: 7, float: 0.5, bool: None, dict: {"another": 1}, list: [1], type(None): 1}


def whole(of) -> dict:
    content = record(of)
    second = {"name": "second", "floor": 1.0, "lower_is_better": True, "fingerprint": {}}
    for value in content["metric"]["evaluations"]:
        value["value_2"] = 2 * value["value"]
    numbers = {"untrained": 800.0, "final": 100.0, "final_step": 100, "best": 98.0, "best_step": 80, "best_apart": None}
    content["metric"]["best_apart"] = None
    return content | {"metric_2": second | numbers}


def changed(value):
    return not value if isinstance(value, bool) else ANOTHER[type(value)]


def fields(content: dict) -> list[tuple[str, ...]]:
    return [
        path
        for key, value in content.items()
        for path in ([(key, name) for name in value] if isinstance(value, dict) and value else [(key,)])
    ]


def edit(content: dict, path: tuple[str, ...], value) -> dict:
    content = copy.deepcopy(content)
    node = content
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return content


def put(of, content: dict) -> None:
    of.directory.mkdir(parents=True, exist_ok=True)
    (of.directory / "record.json").write_text(json.dumps(content))


def test_a_record_is_read_as_it_was_written(tmp_path):
    of = cell(tmp_path)
    of.directory.mkdir()
    records_of.write(of.directory, whole(of))
    assert records.read(of.directory) == whole(of)
    assert state(of) is State.COMPLETED


def test_every_edited_field_is_reported(tmp_path, caplog):
    of = cell(tmp_path)
    of.directory.mkdir()
    records_of.write(of.directory, whole(of))
    written = json.loads((of.directory / "record.json").read_text())
    assert len(fields(whole(of))) > 40
    for path in fields(whole(of)):
        node = written
        for key in path:
            node = node[key]
        caplog.clear()
        put(of, edit(written, path, changed(node)))
        assert state(of) is State.NEW, path
        [warning] = caplog.messages
        assert str(of.directory / "record.json") in warning
        if path not in {("format",), ("state",), ("cell", "hash"), ("cell", "overrides"), ("metric", "evaluations")}:
            assert ".".join(path) in warning, (path, warning)


@pytest.mark.parametrize("path", [("metric", "floor"), ("steps",), ("cell", "name")])
def test_an_added_or_removed_field_is_reported(tmp_path, path):
    of = cell(tmp_path)
    of.directory.mkdir()
    records_of.write(of.directory, whole(of))
    written = json.loads((of.directory / "record.json").read_text())
    node = written if len(path) == 1 else written[path[0]]
    del node[path[-1]]
    node["new"] = 1
    put(of, written)
    with pytest.raises(records.UnreadableRecord, match=f"{'.'.join(path)}, .*new can't be trusted"):
        records.read(of.directory)


SUMMARY = ("untrained", "final", "final_step", "best", "best_step", "best_apart")
DERIVED = [
    *(("metric", name) for name in SUMMARY),
    *(("metric_2", name) for name in SUMMARY),
    *[("config", "seed"), ("config", "metric", "num_samples")],
]


@pytest.mark.parametrize("path", DERIVED, ids=".".join)
def test_without_checksums_derived_fields_are_compared_with_their_sources(tmp_path, path):
    of = cell(tmp_path)
    write(of, edit(whole(of), path, 77))
    with pytest.raises(records.UnreadableRecord, match=f"was edited: {'.'.join(path)} "):
        records.read(of.directory)


@pytest.mark.parametrize("path", [("cell", "hash"), ("identity", "config", "seed"), ("identity", "data")])
def test_without_checksums_the_hash_is_computed_again(tmp_path, path):
    of = cell(tmp_path)
    write(of, edit(whole(of), path, "77"))
    with pytest.raises(records.UnreadableRecord, match="hash of its identity"):
        records.read(of.directory)


def test_an_edited_cell_of_sweep_json_is_reported_and_found_by_its_record(tmp_path, caplog):
    of = cell(tmp_path)
    write(of, record(of))
    Sweep(tmp_path, [of]).freeze()
    content = json.loads((tmp_path / "sweep.json").read_text())
    content["cells"][0]["identity"]["config"]["seed"] = 7
    (tmp_path / "sweep.json").write_text(json.dumps(content))
    assert Sweep(tmp_path, []).all_cells == [of]
    assert f"{of.name} was edited" in caplog.text


def test_records_of_earlier_versions_are_read(tmp_path):
    of = cell(tmp_path, threads=2)
    content = record(of)
    # In that version threads were not part of an identity.
    del content["identity"]["config"]["threads"], content["metric"]["final_step"]
    content["cell"]["hash"] = digest(content["identity"])
    content["config"]["most_seeds"] = 3
    write(of, content)
    assert records.read(of.directory) == content
