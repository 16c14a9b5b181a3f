"""Tampering with an entry file: what checksums and checks against the track find, and what only a repetition finds.

Changes of the second kind are those of an attacker who recomputes all hashes, checksums and the score.
"""

from __future__ import annotations

import copy
import functools
import json

import pytest

from gansweep.source_code import code_digest
from gansweep.sweep.identity import digest
from gansweep.track import checks
from gansweep.track.contradictions import hash_of, source_hash
from gansweep.track.entry import BadEntry, Entry
from gansweep.track.own_code import write
from gansweep.track.repetition import Repetition
from gansweep.track.submission import Source, entry_of, judging_runs
from tests.track import trained


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


def _set(content, path, value):
    *parents, last = path.split("/")
    node = functools.reduce(lambda inner, key: inner[key], parents, content)
    node[int(last) if isinstance(node, list) else last] = value


def _setting(path, value):
    return lambda content, _: _set(content, path, value)


def _move(old, new):
    def change(content, _):
        content["runs"][new] = content["runs"].pop(old)

    return change


def _remove(seed):
    return lambda content, _: content["runs"].pop(seed)


def _foreign(content, other):
    content["runs"]["1"] = copy.deepcopy(other["runs"]["1"])


def _own_module(name="my_gans", source="x = 1\n", named=True, given=True):
    def change(content, _):
        content["identity"]["code"] = {name: code_digest(source.encode())} if named else {}
        if given:
            content["code"][name] = {"sha256": source_hash(source), "source": source}

    return change


def _edited_override(content, _):
    _set(content, "overrides/1", "lr=0.5")
    content["tuning"] = None


def _edited_source(content, _):
    _own_module()(content, _)
    content["code"]["my_gans"]["source"] = "x = 2\n"


def _completed(content, _):
    diverged = next(run for run in content["runs"].values() if run["state"] == "diverged")
    diverged.update(state="completed", divergence=None)


def _many_tuning_runs(content, _):
    content["tuning"]["runs"] += [run | {"seed": 1000, "overrides": {"lr": 9}} for run in content["tuning"]["runs"]]
    content["tuning"]["runs"] += content["tuning"]["runs"][-1:]


NAIVE = {  # the file is not signed again
    "edited value": (_setting("runs/0/values/1", 1.0), "sha256 is not the hash of the other fields"),
    "edited checksum": (_setting("sha256", "0" * 64), "sha256 is not the hash of the other fields"),
    "edited score": (_setting("score", 1), "score is 1, but 3.0 by the values of the runs"),
    "edited author": (_setting("author", "B. Author"), "sha256 is not the hash of the other fields"),
    "edited seed": (_move("4", "7"), "runs.7.hash is not the hash of the identity with seed 7"),
    "foreign run": (_foreign, "runs.1.hash is not the hash of the identity with seed 1"),
    "edited config": (_setting("identity/config/lr", 0.1), "runs.0.hash is not the hash of the identity"),
    "edited source": (_edited_source, "code.my_gans.sha256 is not the hash of the source"),
}
SIGNED = {
    "removed evaluation": (
        lambda c, _: c["runs"]["2"]["values"].pop("2"),
        "runs.2.values: the evaluation after step 2",
    ),
    "added evaluation": (_setting("runs/2/values/5", 1.0), "runs.2.values: there is no evaluation after step 5"),
    "evaluations out of order": (
        lambda c, _: c["runs"]["2"].update(values=dict(reversed(c["runs"]["2"]["values"].items()))),
        "runs.2.values: expected ascending steps",
    ),
    "missing seed": (_remove("2"), "runs: seed 2 missing; every judging seed counts"),
    "another seed": (_move("4", "7"), "runs: seed 7 is no judging seed"),
    "judged by tuning seeds": (_move("4", "1000"), "runs: seed 1000 is for tuning"),
    "edited override": (_edited_override, "identity.config.lr: differs from the overrides: 0.3215"),
    "edited configuration": (
        _setting("identity/config/optimizer/momentum", 0.5),
        "identity.config.optimizer.momentum: differs",
    ),
    "frozen override": (lambda c, _: c["overrides"].append("steps=8"), "overrides: steps=8: track tiny fixes it"),
    "interpolation": (lambda c, _: c["overrides"].append("lr=${seed}"), "expected a value, not an interpolation"),
    "several values": (lambda c, _: c["overrides"].append("lr=1,2"), "overrides: lr=1,2: several values"),
    "option of Hydra": (lambda c, _: c["overrides"].append("--config-dir=x"), "overrides: --config-dir=x"),
    "frozen setting": (
        _setting("identity/config/batch_size", 16),
        "config.batch_size: track tiny fixes it: 16, expected 8",
    ),
    "other loss": (
        _setting("identity/config/loss/penalties/r1/weight", 1),
        "weight: track tiny fixes it: 1, expected 10",
    ),
    "true written as 1": (_setting("identity/config/trainer/compile", 0), "identity is not that of the settings"),
    "other metric": (_setting("metric/n_fake", 8), "metric is not the fingerprint of the metric of the track"),
    "other data": (_setting("identity/data", "0" * 64), "identity.data is not the hash of the data"),
    "other arithmetic": (_setting("identity/numerics", "3"), "identity.numerics is 3, but"),
    "further field in the identity": (_setting("identity/note", "x"), "identity.note: unknown field"),
    "seed in the identity": (_setting("identity/config/seed", 3), "expected a configuration without seed"),
    "other track": (_setting("fingerprint", "0" * 64), "fingerprint is that of another version of the track"),
    "higher target": (_setting("target", 5), "target is 5, but 1.9015 in track tiny"),
    "lower confidence": (_setting("confidence", 0.6), "confidence is 0.6, but 0.95"),
    "divergence without its state": (
        _setting("runs/0/divergence", {"step": 9, "player": None, "cause": None}),
        "runs.0.state is completed, but divergence is a mapping",
    ),
    "edited source": (_edited_source, "the source is not that of the runs, by its hash in identity.code"),
    "source without hash": (_own_module(named=False), "code.my_gans: identity.code has no hash of it"),
    "hash without source": (_own_module(given=False), "code.my_gans: the source is missing"),
    "module that is not used": (_own_module(), "identity.code: the runs used another version of my_gans"),
    "other version of a package": (
        _setting("identity/code", {"schedulefree": "schedulefree==0.1"}),
        "identity.code: the runs used another version of schedulefree",
    ),
    "tuning budget": (_setting("tuning/budget", 64), "tuning.budget is 64, more than the 8 trainings"),
    "runs beyond the budget": (_many_tuning_runs, "tuning has 9 runs, more than its budget of 8"),
    "tuned by judging seeds": (
        lambda c, _: c["tuning"]["runs"][0].update(seed=0),
        "tuning.runs: seed 0 is no tuning seed",
    ),
    "tuned with the same run twice": (
        lambda c, _: c["tuning"]["runs"].append(c["tuning"]["runs"][0]),
        "with seed 1000 twice",
    ),
    "tuning of other settings": (
        lambda c, _: [run["overrides"].update(lr=7 + n) for n, run in enumerate(c["tuning"]["runs"])],
        "tuning.runs: none has the settings of the entry",
    ),
    "later format": (_setting("format", 2), "format is 2; this version of gansweep reads up to 1"),
    "unknown field": (_setting("note", "x"), "note: unknown field"),
    "huge number": (_setting("runs/0/values/1", 10**400), "runs.0.values.1 is a whole number that is too large"),
    "value as text": (_setting("runs/0/values/1", "1.0"), "runs.0.values.1 is '1.0', expected a finite number"),
    "state of a failed run": (_setting("runs/0/state", "failed"), "runs.0.state is 'failed', expected completed"),
    "two lines as a name": (_setting("author", "A\nB"), "author is 'A\\nB', expected one line"),
    "path as a name": (_setting("name", "../../x"), "name is '../../x', expected a file name"),
    "negative time": (_setting("runs/0/trained_s/4", -1), "runs.0.trained_s: has a negative time"),
}
OF_DIVERGED = {
    "missing diverged seed": (_remove("0"), "runs: seed 0 missing; every judging seed counts, also one that diverged"),
    "diverged turned completed": (_completed, "is missing"),
    "evaluation after the divergence": (
        lambda c, _: [run["values"].update({"5": 1.0}) for run in c["runs"].values() if run["divergence"]],
        "has evaluations after the divergence",
    ),
}


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
        (trained.GOOD, _foreign, "the value after step 1"),
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
