"""A damaged, foreign or newer record is named, renamed and written again."""

from __future__ import annotations

import json
import shutil
import warnings

import pytest
from fault_child import GRID, command
from sweep_contents import records

from gansweep import results
from gansweep.sweep import records as reading


def of_a_later_version(text: str) -> str:
    return json.dumps(json.loads(text) | {"format": 99})


FAULTS = {
    "empty": lambda text: "",
    "half": lambda text: text[: len(text) // 2],
    "without its end": lambda text: text[:-3],
    "zeros": lambda text: "\0" * len(text),
    "foreign": lambda text: json.dumps({"loss": 0.1}),
    "newer": of_a_later_version,
}


@pytest.fixture
def sweep(tmp_path, undisturbed):
    shutil.copytree(undisturbed[0].parents[1], tmp_path / "here")
    return tmp_path / "here/outputs/s"


def test_records_with_each_kind_of_damage(sweep, undisturbed):
    damaged = list(FAULTS.values())[:3], list(FAULTS.values())[3:]
    for faults in damaged:
        written = {}
        for path, fault in zip(sorted(sweep.glob("*/record.json")), faults, strict=True):
            written[path] = fault(path.read_text())
            path.write_text(written[path])
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert len(results.load(sweep)) == 0
        assert {str(path) for path in written} <= {word for warning in caught for word in str(warning.message).split()}
        ended = command(sweep.parents[1], *GRID)
        assert ended.code == 0, ended.text
        for path, text in written.items():
            assert str(path) in ended.text
            assert path.with_name("record.previous.json").read_text() == text
        assert records(sweep) == records(undisturbed[0])


def test_a_record_truncated_at_any_place(tmp_path, undisturbed):
    whole = next(undisturbed[0].glob("*/record.json")).read_bytes().rstrip()
    for length in range(0, len(whole), 7):
        (tmp_path / "record.json").write_bytes(whole[:length])
        with pytest.raises(reading.UnreadableRecord, match="record.json"):
            reading.read(tmp_path)
