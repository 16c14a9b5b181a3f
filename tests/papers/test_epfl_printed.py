"""The printed numbers and what is said about them. Mistakes: a row in another's place, a verdict on the wrong side."""

from __future__ import annotations

import json

import pytest

from gansweep.papers import sections
from gansweep.papers.epfl_comparison import comparisons
from gansweep.papers.printed import printed
from gansweep.papers.trained import Trained
from gansweep.papers.verdict import interval, rank_correlation, verdict
from gansweep.sweep.identity import digest
from gansweep.training.record import summary

TABLE = printed("epfl_table1")
BANDS = (100.0, 200.0)
TOTAL = 27636.98  # of all 18 x 7 stored values


def test_table_I_as_printed():
    final = TABLE.at(290)
    assert len(final) == 21
    assert [final["adam", 10.0**-n] for n in range(1, 8)] == [281.94, 365.71, 90.54, 44.93, 111.33, 230.87, 295.93]
    assert [final["sgd", 10.0**-n] for n in range(1, 8)] == [None, None, None, 29.57, 97.26, 131.53, 361.85]
    assert [final["rmsprop", 10.0**-n] for n in range(1, 8)] == [302.97, 319.93, 50.79, 46.31, 318.54, 203.86, 359.73]


def test_what_the_study_says_of_its_own_curves():
    """Constant rows, RMSprop's lowest value, and the order at label 50, as the specification has them."""
    assert TABLE.labels == (0, 50, 100, 150, 200, 250, 290)
    constant = [setting for setting, row in TABLE.values.items() if row is not None and len(set(row)) == 1]
    assert constant == [("adam", 0.1), ("rmsprop", 0.1), ("rmsprop", 0.01)]
    best = TABLE.best_until(290)
    own = {lr: value for (name, lr), value in best.items() if name == "rmsprop"}
    assert min(own.values()) == own[1e-3] == 44.12
    at_50 = sorted((value, setting) for setting, value in TABLE.at(50).items() if value is not None)
    assert [s for _, s in at_50[:4]] == [("rmsprop", 1e-3), ("sgd", 1e-4), ("adam", 1e-3), ("adam", 1e-4)]
    total = sum(sum(row) for row in TABLE.values.values() if row is not None)
    assert total == pytest.approx(TOTAL, abs=1e-6)


@pytest.mark.parametrize(
    ("theirs", "ours", "said"),
    [
        (50.0, [48.0, 50.0, 53.0], "inside"),
        (90.0, [48.0, 50.0, 53.0], "outside, same band"),
        (150.0, [48.0, 50.0, 53.0], "outside, other band"),
        (90.0, [50.0], "same band"),
        (90.0, [50.0, None], "same band"),
        (50.0, [None, None], "N/A here"),
        (None, [None, None], "both N/A"),
        (None, [None, 80.0], "N/A in some seeds"),
        (None, [70.0, 80.0], "printed N/A"),
    ],
)
def test_verdicts(theirs, ours, said):
    assert verdict(theirs, ours, BANDS) == said


def test_another_ruler_gets_no_interval():
    assert verdict(50.0, [500.0, 501.0], BANDS, (600.0, 1200.0)) == "same band"
    assert verdict(50.0, [700.0, 50.0], (100.0, 200.0), (30.0, 60.0)) == "other band"


def test_the_interval_is_of_one_more_run():
    """t(0.975, 2 degrees) = 4.302653, sd 1, n 3."""
    low, high = interval([1.0, 2.0, 3.0])
    assert high - 2 == pytest.approx(4.302653 * (4 / 3) ** 0.5, rel=1e-6)
    assert 2 - low == pytest.approx(high - 2)


def test_rank_correlation_leaves_out_what_one_side_lacks():
    first = {"a": 1.0, "b": 2.0, "c": 3.0, "d": None}
    assert rank_correlation(first, {"a": 9.0, "b": 5.0, "c": 1.0, "d": 0.0}) == (-1.0, 3)
    assert rank_correlation(first, {"a": 9.0})[1] == 1


def record(optimizer, lr, seed, final, *, steps=136479, metric="fd_torchvision_-3", lowest=None):
    """A record of the original protocol at full length, with one evaluation on the way."""
    middle = {"step": steps // 2, "value": final if lowest is None else lowest}
    done = [{"step": 0, "value": 360.0}] + ([] if final is None else [middle, {"step": steps, "value": final}])
    found = summary(done, True)
    if final is None:
        found |= {"final": None, "final_step": None}
    who = {"data": f"{optimizer}{lr}{seed}"}
    return {
        "format": 1,
        "state": "diverged" if final is None else "completed",
        "cell": {
            "name": "x",
            "hash": digest(who),
            "overrides": {
                "experiment": "epfl_table1",
                "protocol": "epfl_table1/original_code",
                "optimizer": optimizer,
                "data": "mnist",
            },
        },
        "config": {"lr": lr, "seed": seed, "steps": steps},
        "identity": who,
        "time": {},
        "divergence": None if final is not None else {"step": 1, "player": "generator", "cause": "loss is not finite"},
        "metric": {
            "name": metric,
            "lower_is_better": True,
            "evaluations": done,
            **found,
        },
    }


def sweep_like_the_paper(folder, **more):
    """Three seeds around every printed value of table I."""
    for (optimizer, lr), value in TABLE.at(290).items():
        for seed in range(3):
            near = None if value is None else value + seed - 1
            cell = folder / f"{optimizer}-{lr}-{seed}"
            cell.mkdir(parents=True)
            lowest = 20.0 if (optimizer, lr) == ("rmsprop", 1e-3) else None
            (cell / "record.json").write_text(json.dumps(record(optimizer, lr, seed, near, lowest=lowest, **more)))
    return folder


def test_a_sweep_that_is_the_paper_agrees_with_it(tmp_path):
    table, choice, pictures = sections(sweep_like_the_paper(tmp_path))
    rows = [line for line in table.text.splitlines() if line.startswith(("| adam", "| sgd", "| rmsprop"))]
    assert len(rows) == 21
    verdicts = [row.split("|")[-2].strip() for row in rows]
    assert sorted(set(verdicts)) == ["both N/A", "inside"]
    assert verdicts.count("both N/A") == 3
    assert "**1.00** over the 18 cells" in table.text
    assert "What differs" not in table.text
    assert "**survives**: it holds in 3 of 3 seeds" in choice.text
    assert "| rmsprop | 1e-4 | 1e-3 | 1e-4 | 1e-3 | 3 of 3 | 0 of 3 |" in choice.text
    assert len(pictures.pictures) == 3


def test_another_ruler_and_length_are_said(tmp_path):
    """One epoch on other features: the column of label 0, and no word of inside."""
    table, choice, _ = sections(sweep_like_the_paper(tmp_path, steps=469, metric="fd_mnist_-3"))
    assert "labelled 0, which is the state after 1 epoch," in table.text
    assert "features are those of fd_mnist_-3, not of fd_torchvision_-3" in table.text
    assert "inside" not in table.text
    assert "the length" not in table.text
    assert "at label 0 it does not hold in print either (rmsprop 1e-3)" in choice.text


def test_the_nearest_label_is_taken():
    def label(steps):
        (one,) = comparisons([Trained(None, record("adam", 1e-3, 0, 50.0, steps=steps))], TABLE)
        return one.label

    assert [label(469 * epochs) for epochs in (1, 50, 51, 291, 300)] == [0, 50, 50, 290, 290]
    assert label(126_864) == 250, "270.5 epochs are nearer to 251 than to 291"


def test_another_experiment_has_nothing_to_say(tmp_path):
    other = record("adam", 1e-3, 0, 50.0)
    other["cell"]["overrides"]["experiment"] = "smoke"
    (tmp_path / "cell").mkdir()
    (tmp_path / "cell" / "record.json").write_text(json.dumps(other))
    assert sections(tmp_path) == []


def test_pictures_are_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    *_, pictures = sections(sweep_like_the_paper(tmp_path))
    for draw in pictures.pictures.values():
        assert draw().axes
