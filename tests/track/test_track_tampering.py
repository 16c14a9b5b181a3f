"""Tampering with an entry file: what checksums and checks against the track find, and what only a repetition finds.

Changes of the second kind are those of an attacker who recomputes all hashes, checksums and the score.
"""

from __future__ import annotations

import copy
import json

import pytest

from gansweep.sweep.identity import digest
from gansweep.track import checks
from gansweep.track.contradictions import hash_of, source_hash
from gansweep.track.entry import BadEntry, Entry
from gansweep.track.own_code import write
from gansweep.track.repetition import Repetition
from gansweep.track.submission import Source, entry_of, judging_runs
from tests.track import trained
from tests.track.changed_entries import NAIVE, OF_DIVERGED, SIGNED, foreign


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Track, content of two entry files by rate, and their trained runs."""
    folder = tmp_path_factory.mktemp("tampering")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checks, "composed_cell", _cached(checks.composed_cell))
        track = trained.install(patch, folder)
        reference = checks.composed_cell(track, [], 0)
        rates = (trained.GOOD, trained.DIVERGING)
        entries = {lr: entry_of(track, Source(trained.judging(lr))).as_json() for lr in rates}
        yield track, entries, {lr: judging_runs(track, trained.judging(lr), reference) for lr in rates}


def _cached(function):
    cells = {}

    def composed(track, words, seed, extra=(), config_dir=None):
        key = (*words, seed)
        if key not in cells:
            cells[key] = function(track, words, seed, extra, config_dir)
        return cells[key]

    return composed


def _signed(content):
    """Recompute what the file says about itself, as an attacker would."""
    for seed, run in content["runs"].items():
        run["hash"] = hash_of(content["identity"], int(seed))
    for part in content["code"].values():
        part["sha256"] = source_hash(part["source"])
    content["score"] = None
    try:
        Entry.of_json(content | {"sha256": "0" * 64})
    except BadEntry as error:
        wrong = next((text for text in error.problems if text.startswith("score is None")), "")
        content["score"] = float(wrong.split("but ")[1].split()[0]) if wrong else None
    content.pop("sha256", None)
    return content | {"sha256": digest(content)}


def _problems(track, content):
    """Return everything that is found without training, as one text; empty if nothing is."""
    try:
        entry = Entry.of_json(json.loads(json.dumps(content)))
        checks.check(entry, track, "the file")
    except ValueError as error:
        return str(error)
    return ""


def test_the_honest_entries_pass(made):
    track, entries, runs = made
    for lr, content in entries.items():
        assert _problems(track, content) == ""
        assert _signed(copy.deepcopy(content)) == content
        assert Repetition(Entry.of_json(content), runs[lr], track.level).differing == {}


@pytest.mark.parametrize("name", NAIVE)
def test_a_change_without_new_checksums(made, name):
    track, entries, _ = made
    change, message = NAIVE[name]
    content = copy.deepcopy(entries[trained.GOOD])
    change(content, entries[trained.DIVERGING])
    assert message in _problems(track, content)


@pytest.mark.parametrize("name", SIGNED)
def test_a_change_with_new_checksums(made, name):
    track, entries, _ = made
    change, message = SIGNED[name]
    content = copy.deepcopy(entries[trained.GOOD])
    change(content, entries[trained.DIVERGING])
    assert message in _problems(track, content if name == "huge number" else _signed(content))


@pytest.mark.parametrize("name", OF_DIVERGED)
def test_a_change_of_diverged_runs_with_new_checksums(made, name):
    track, entries, _ = made
    change, message = OF_DIVERGED[name]
    content = copy.deepcopy(entries[trained.DIVERGING])
    change(content, None)
    assert message in _problems(track, _signed(content))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("\xff", "is not JSON"),
        ('{"runs": {"3": 1, "3": 2}}', "has the key '3' twice in one mapping"),
        ('{"score": NaN}', "has the number NaN, expected finite numbers"),
        ('{"score": -Infinity}', "has the number -Infinity"),
        ('{"score": 1e999}', "score is inf, expected a finite number"),
        ("[" * 100_000, "is nested too deeply"),
        (f'{{"score": {"9" * 5000}}}', "digits"),
        (" " * (5 * 2**20), "bytes, expected at most"),
        ("[]", "is a list, expected a mapping"),
    ],
)
def test_a_file_that_is_no_entry(tmp_path, text, message):
    (tmp_path / "x.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(BadEntry) as error:
        Entry.read(tmp_path / "x.json")
    assert message in str(error.value)


@pytest.mark.parametrize("name", ["../x", "/x", "my..gans", "os", "gansweep.x", "conf/../../x.yaml", "conf/a/b/c.yaml"])
def test_sources_are_written_below_the_folder_only(tmp_path, name):
    with pytest.raises(ValueError, match="code="):
        write({name: {"source": "", "sha256": ""}}, tmp_path / "inner")
    assert list(tmp_path.iterdir()) == []


def _value(content, _):
    content["runs"]["1"]["values"]["1"] = 1.8


def _swapped(content, _):
    content["runs"]["0"], content["runs"]["1"] = content["runs"]["1"], content["runs"]["0"]


def _made_up(content, other):
    for seed, run in content["runs"].items():
        if run["state"] == "diverged":
            content["runs"][seed] = copy.deepcopy(other["runs"][seed])


@pytest.mark.parametrize(
    ("lr", "change", "message"),
    [
        (trained.GOOD, _value, "the value after step 1 is 1.8 in the entry, but 1.9085"),
        (trained.GOOD, foreign, "the value after step 1"),
        (trained.GOOD, _swapped, "the value after step 0"),
        (trained.DIVERGING, _made_up, "completed in the entry, but diverged when repeated"),
        (
            trained.DIVERGING,
            lambda c, _: [r["divergence"].update(player="generator") for r in c["runs"].values() if r["divergence"]],
            "divergence.player is 'generator' in the entry, but discriminator",
        ),
    ],
)
def test_what_only_a_repetition_finds(made, lr, change, message):
    track, entries, runs = made
    content = copy.deepcopy(entries[lr])
    change(content, entries[trained.DIVERGING if lr == trained.GOOD else trained.GOOD])
    content = _signed(content)
    assert _problems(track, content) == ""
    repetition = Repetition(Entry.of_json(content), runs[lr], track.level)
    assert message in next(iter(repetition.differing.values()))
    assert repetition.refutes


def test_other_versions_are_compared_by_the_rule(made):
    track, entries, runs = made
    content = copy.deepcopy(entries[trained.GOOD])
    content["versions"]["torch"] = "2.1"
    entry = Entry.of_json(_signed(content))
    equal = Repetition(entry, runs[trained.GOOD], track.level)
    assert equal.confirms
    assert [text.partition(" instead of ")[2] for text in equal.other_machine] == ["2.1"]
    other = Repetition(entry, runs[trained.DIVERGING], track.level)  # all seeds but one take longer
    assert not other.confirms
    assert other.refutes == (other.p_value <= track.level)
    assert not Repetition(entry, runs[trained.DIVERGING], 0.0).refutes
