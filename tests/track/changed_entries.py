"""Changes of an entry that must be found: with the old checksums, with new ones, and of diverged runs."""

from __future__ import annotations

import copy
import functools

from gansweep.source_code import code_digest
from gansweep.track.contradictions import source_hash


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


def foreign(content, other):
    content["runs"]["1"] = copy.deepcopy(other["runs"]["1"])


def _own_module(name="my_gans", source="x = 1\n", named=True, given=True):
    def change(content, _):
        content["identity"]["code"] = {name: code_digest(source.encode())} if named else {}
        if given:
            content["code"][name] = {"sha256": source_hash(source), "source": source}

    return change


def _own_yaml(name, source="a: 1\n"):
    return lambda content, _: content["code"].update({name: {"sha256": source_hash(source), "source": source}})


def _tuned_rate(rate):
    return lambda content, _: content["tuning"]["runs"][0]["overrides"].update(lr=rate)


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
    "foreign run": (foreign, "runs.1.hash is not the hash of the identity with seed 1"),
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
    "another seed": (_move("4", "7"), "runs: seed 7 is not among the judging seeds"),
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
        "tuning.runs: seed 0 is not among the tuning seeds",
    ),
    "tuned with the same run twice": (
        lambda c, _: c["tuning"]["runs"].append(c["tuning"]["runs"][0]),
        "with seed 1000 twice",
    ),
    "tuning of other settings": (
        lambda c, _: [run["overrides"].update(lr=7 + n) for n, run in enumerate(c["tuning"]["runs"])],
        "tuning.runs: none has the settings of the entry",
    ),
    "no date": (_setting("date", "0000-00-00"), "date is '0000-00-00', expected YYYY-MM-DD"),
    "digits of another script": (_move("4", "\N{ARABIC-INDIC DIGIT FOUR}"), "expected a whole number"),
    "hashes of code as a list": (_setting("identity/code", ["x"]), "identity.code: expected a hash by module"),
    "word without a value": (_setting("overrides", ["optimizer"]), "overrides: optimizer: expected KEY=VALUE"),
    "tuned rate as text": (
        _tuned_rate("abc"),
        "tuning.runs: lr is 'abc', expected a number",
    ),
    "negative tuned rate": (_tuned_rate(-1), "tuning.runs: lr is -1, expected a number"),
    "YAML file that is not chosen": (_own_yaml("conf/hydra/default.yaml"), "the entry does not choose it"),
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
