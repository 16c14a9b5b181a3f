"""Which runs are averaged. Mistake: a mean over runs that differ in more than the seed."""

from __future__ import annotations

import pytest
from tests.papers.fake_records import record, run, run_of, write

from gansweep.papers.epfl_table1 import comparisons
from gansweep.papers.runs import read, tables

SGD, ADAM = {"_target_": "gansweep.optimizers.sgd.SGD"}, {"_target_": "gansweep.optimizers.adam.Adam"}
VALUES = {0: 9.0, 10: 1.0}


def divided(*runs):
    """Return notes and seeds of the tables with one row per optimizer and learning rate."""
    found = tables(
        runs,
        lambda run: (run.steps,),
        lambda run: (run.choice("optimizer"), run.lr),
        varied=("config.optimizer", "config.lr"),
    )
    return [(table.note, [run.seed for run in table.runs]) for table in found]


def trained(choice="adam", **settings):
    rule = {"adam": ADAM, "sgd": SGD}[choice]
    settings = {"optimizer": rule, "precision": "fp32"} | settings
    return run("any", VALUES, overrides={"optimizer": choice}, **settings)


def test_rows_columns_and_seeds_share_a_table():
    runs = [trained(o, seed=seed, lr=lr, lr_d=lr) for o in ("adam", "sgd") for seed in (0, 1) for lr in (1e-3, 1e-4)]
    assert divided(*runs) == [("", [0, 0, 1, 1] * 2)]


@pytest.mark.parametrize(
    ("other", "note"),
    [
        ({"precision": "bf16"}, "precision=bf16"),
        ({"threads": 2}, "threads=2"),
        ({"lr_d": 1e-3}, "lr_d=0.001"),
        ({"optimizer_d": SGD}, "optimizer_d._target_=gansweep.optimizers.sgd.SGD"),
        ({"data": "other content"}, "data=other content"),
        ({"code": {"my_losses": "1234"}}, "code.my_losses=1234"),
        ({"fingerprint": {"metric": "w1", "version": 2}}, "metric.version=2"),
        ({"optimizer": {**ADAM, "eps": 1}}, "optimizer.eps=1"),
    ],
)
def test_whatever_else_identifies_a_training_is_the_same_in_a_table(other, note):
    first, second = divided(trained(), trained(seed=1, **other))
    assert (first[1], second[1]) == ([0], [1])
    assert second[0] == f" ({note})"


def test_settings_that_follow_from_others_are_not_in_the_note():
    runs = trained(), trained(precision="bf16", batch_size=7)
    assert [note for note, _ in divided(*runs)] == [" (precision=fp32)", " (precision=bf16)"]


def test_settings_outside_the_identity_do_not_divide():
    assert divided(trained(device="cpu"), trained(seed=1, device="cuda", workers=3)) == [("", [0, 1])]


def test_a_run_without_a_value_is_in_the_table_of_its_settings():
    content = record("any", VALUES, overrides={"optimizer": "adam"}, seed=1, optimizer=ADAM, precision="fp32")
    assert divided(trained(), run_of(content | {"metric": None})) == [("", [0, 1])]


def test_precisions_are_separate_comparisons_of_the_epfl_table():
    def of(seed, precision):
        return run("epfl_table1", VALUES, overrides={"optimizer": "adam"}, seed=seed, precision=precision)

    runs = [of(seed, precision) for seed in (0, 1) for precision in ("fp32", "bf16")]
    found = comparisons(runs)
    assert [one.name for one in found] == [
        "protocol paper, scale full (precision=fp32)",
        "protocol paper, scale full (precision=bf16)",
    ]
    assert [len(one.settings["adam", 1e-4]) for one in found] == [2, 2]


def test_failed_and_unreadable_runs_are_omitted(tmp_path):
    failed = record("any", VALUES, seed=2) | {"state": "failed", "error": {"type": "ValueError", "message": "none"}}
    lost = record("any", VALUES, seed=1, diverged=True)
    write(tmp_path, {"a": record("any", VALUES), "b": lost, "c": failed, "d": record("any", VALUES)})
    (tmp_path / "d" / "record.json").write_text("{")
    assert [(found.seed, found.final) for found in read(tmp_path)] == [(0, 1.0), (1, None)]
