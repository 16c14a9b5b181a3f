"""An entry with a class of the user: its source travels in the file, and runs only if allowed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gansweep import code_identity
from gansweep.track.__main__ import main
from gansweep.track.entry import Entry
from gansweep.track.track import Track
from gansweep.track.training import judge
from tests.track import tiny

MODULE = "tiny_own_schedule"
SOURCE = '''
"""Half the rate."""

import dataclasses

from gansweep.schedules.pointwise import Pointwise


@dataclasses.dataclass(frozen=True)
class Half(Pointwise):
    def __call__(self, step: int, total_steps: int) -> float:
        return 0.5
'''


def _forget():
    """Forget the imported module, as a new process would."""
    sys.modules.pop(MODULE, None)
    for function in (code_identity.find, code_identity.imports, code_identity._hashes):
        function.cache_clear()


@pytest.mark.slow
def test_the_source_of_an_own_class_travels_with_the_entry(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("gc.collect", lambda *generation: 0)
    tiny.install(monkeypatch, tmp_path / "conf")
    author, reader = tmp_path / "author", tmp_path / "reader"
    (author / "my_conf/schedule").mkdir(parents=True)
    reader.mkdir()
    (author / f"{MODULE}.py").write_text(SOURCE)
    (author / "my_conf/schedule/half.yaml").write_text(f"_target_: {MODULE}.Half\n")

    monkeypatch.chdir(author)
    monkeypatch.syspath_prepend(str(author))
    _forget()
    own = [f"allow=[{MODULE}]"]
    track = Track.load("tiny")
    words = ["optimizer=sgd", "lr=0.3", "schedule=half"]
    sweep, _ = judge(track, words, track.judging_seeds, [*own, *tiny.LIGHT], "my_conf")
    file = str(reader / "half.json")
    assert main(["submit", str(sweep), "--out", file]) == 2
    assert "expected --config-dir with its YAML file" in capsys.readouterr().err
    assert main(["submit", str(sweep), *own, "--config-dir", "my_conf", "--out", file]) == 0
    entry = Entry.read(Path(file))
    assert set(entry.code) == {MODULE, "conf/schedule/half.yaml"}

    monkeypatch.chdir(reader)
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place != str(author)])
    (author / f"{MODULE}.py").unlink()
    _forget()
    assert main(["verify", file]) == 2
    assert f"the entry has conf/schedule/half.yaml, {MODULE}; read the sources" in capsys.readouterr().err
    assert MODULE not in sys.modules
    assert main(["verify", file, "--write-code", "read"]) == 0
    assert (reader / f"read/{MODULE}.py").read_text() == SOURCE
    assert MODULE not in sys.modules
    assert main(["verify", file, "--allow-code", "--seeds", "0,4", *tiny.LIGHT]) == 0
    assert "2 of 2 repeated runs are equal bit for bit" in capsys.readouterr().out
    assert str(reader) not in str(sys.modules[MODULE].__file__)
    _forget()
