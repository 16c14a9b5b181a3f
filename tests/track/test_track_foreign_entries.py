"""Entry files of somebody else: what is refused before it is shown, compared or used."""

from __future__ import annotations

import dataclasses
import json

import pytest

from gansweep.config.errors import BadConfig
from gansweep.track import own_code
from gansweep.track.__main__ import main
from gansweep.track.board import difference, read
from gansweep.track.contradictions import source_hash
from gansweep.track.entry import BadEntry, Entry
from gansweep.track.track import Track
from tests.track import fake_entries
from tests.track.fake_entries import entry


@pytest.fixture
def track():
    return fake_entries.track()


def test_half_of_a_surrogate_pair_is_refused(track, tmp_path):
    file = tmp_path / "x.json"
    file.write_text(json.dumps(entry(track, "x", [100] * 20).as_json()).replace('"us"', '"\\ud800"'))
    with pytest.raises(BadEntry, match="surrogate"):
        Entry.read(file)


def test_an_entry_of_a_folder_has_the_name_of_its_file(track, tmp_path):
    (tmp_path / track.name).mkdir()
    entry(track, "adam", [100] * 20).write(tmp_path / track.name / "other.json")
    with pytest.raises(BadEntry, match="name is adam, expected that of the file, other"):
        read(track, tmp_path)


def test_an_entry_with_another_target_is_not_comparable(track):
    easier = dataclasses.replace(entry(track, "easier", [100] * 20), target=1e9)
    assert difference(track, easier) == f"target is 1e+09, but {track.target:g} in track {track.name}"
    assert difference(track, entry(track, "same", [100] * 20)) == ""


def test_sources_replace_no_file(tmp_path):
    (tmp_path / "mine.py").write_text("mine")
    with pytest.raises(BadConfig, match="exists already"):
        own_code.write({"mine": {"sha256": "", "source": "theirs"}}, tmp_path)
    assert (tmp_path / "mine.py").read_text() == "mine"


def test_a_yaml_file_of_an_entry_is_used_only_if_allowed(track, tmp_path, monkeypatch, capsys):
    """Mistake: only modules needed permission, although Hydra opens the log files that a YAML file names."""
    source = "# @package _global_\nhydra: {}\n"
    code = {"conf/optimizer/mine.yaml": {"sha256": source_hash(source), "source": source}}
    own = dataclasses.replace(entry(track, "own", [100] * 20, ["optimizer=mine", "lr=0.1"]), code=code)
    own.write(tmp_path / "own.json")
    monkeypatch.setattr(Track, "load", lambda name: track)
    assert main(["verify", str(tmp_path / "own.json"), "--static"]) == 2
    error = capsys.readouterr().err
    assert "--allow-code: the entry has conf/optimizer/mine.yaml; read the sources" in error
