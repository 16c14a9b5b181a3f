"""Table I of the EPFL study. Mistakes: a printed row in another's place, a column of another length."""

from __future__ import annotations

import pytest
from tests.papers.fake_records import record, run, text_of, write

from gansweep.papers import sections
from gansweep.papers.epfl_table1 import LABELS, PRINTED, comparisons, printed_at, printed_best_until

TOTAL = 27636.98  # of all 18 x 7 printed values


def test_table_as_printed():
    final = printed_at(290)
    assert len(final) == 21
    assert [final["adam", 10.0**-n] for n in range(1, 8)] == [281.94, 365.71, 90.54, 44.93, 111.33, 230.87, 295.93]
    assert [final["sgd", 10.0**-n] for n in range(1, 8)] == [None, None, None, 29.57, 97.26, 131.53, 361.85]
    assert [final["rmsprop", 10.0**-n] for n in range(1, 8)] == [302.97, 319.93, 50.79, 46.31, 318.54, 203.86, 359.73]


def test_curves_as_described_in_the_study():
    """Constant rows, the lowest value of RMSprop, and the order at label 50."""
    assert LABELS == (0, 50, 100, 150, 200, 250, 290)
    constant = [setting for setting, row in PRINTED.items() if row is not None and len(set(row)) == 1]
    assert constant == [("adam", 0.1), ("rmsprop", 0.1), ("rmsprop", 0.01)]
    rmsprop = {lr: value for (name, lr), value in printed_best_until(290).items() if name == "rmsprop"}
    assert min(rmsprop.values()) == rmsprop[1e-3] == 44.12
    at_50 = sorted((value, setting) for setting, value in printed_at(50).items() if value is not None)
    assert [s for _, s in at_50[:4]] == [("rmsprop", 1e-3), ("sgd", 1e-4), ("adam", 1e-3), ("adam", 1e-4)]
    total = sum(sum(row) for row in PRINTED.values() if row is not None)
    assert total == pytest.approx(TOTAL, abs=1e-6)


def cell(optimizer, lr, seed, final, *, steps=136479, metric="fd_torchvision_-3", lowest=None):
    """A record of the original protocol, with one evaluation on the way; None is a diverged run."""
    middle = {} if final is None else {steps // 2: final if lowest is None else lowest, steps: final}
    return record(
        "epfl_table1",
        {0: 360.0, **middle},
        overrides={"protocol": "epfl_table1/original_code", "optimizer": optimizer, "data": "mnist"},
        diverged=final is None,
        metric=metric,
        lr=lr,
        seed=seed,
        steps=steps,
        optimizer={"_target_": optimizer},
    )


def sweep_like_the_paper(folder, **more):
    """Three seeds around every printed value of table I."""
    records = {}
    for (optimizer, lr), value in printed_at(290).items():
        for seed in range(3):
            near = None if value is None else value + seed - 1
            lowest = 20.0 if (optimizer, lr) == ("rmsprop", 1e-3) else None
            records[f"{optimizer}-{lr}-{seed}"] = cell(optimizer, lr, seed, near, lowest=lowest, **more)
    return write(folder, records)


def test_a_sweep_with_the_values_of_the_paper_agrees_with_it(tmp_path):
    table, choice, pictures = sections(sweep_like_the_paper(tmp_path))
    rows = [line for line in text_of(table).splitlines() if line.startswith(("| adam", "| sgd", "| rmsprop"))]
    assert len(rows) == 21
    verdicts = [row.split("|")[-2].strip() for row in rows]
    assert sorted(set(verdicts)) == ["both N/A", "inside"]
    assert verdicts.count("both N/A") == 3
    assert "**1.00** over the 18 cells" in text_of(table)
    assert "What differs" not in text_of(table)
    assert "**holds in 3 of 3 seeds**" in text_of(choice)
    assert "| rmsprop | 1e-4 | 1e-3 | 1e-4 | 1e-3 | 3 of 3 | 0 of 3 |" in text_of(choice)
    assert len(pictures.pictures) == 3


def test_another_metric_and_length_are_stated(tmp_path):
    """One epoch on other features: the column of label 0, and no interval."""
    table, choice, _ = sections(sweep_like_the_paper(tmp_path, steps=469, metric="fd_mnist_-3"))
    assert "labelled 0, which is the state after 1 epoch," in text_of(table)
    assert "features are those of fd_mnist_-3, not of fd_torchvision_-3" in text_of(table)
    assert "inside" not in text_of(table)
    assert "the length" not in text_of(table)
    assert "at label 0 it does not hold in print either (rmsprop 1e-3)" in text_of(choice)


def test_the_nearest_label_is_compared():
    def label(steps):
        (one,) = comparisons([run("epfl_table1", {0: 9.0, steps: 1.0})])
        return one.label

    assert [label(469 * epochs) for epochs in (1, 50, 51, 291, 300)] == [0, 50, 50, 290, 290]
    assert label(126_864) == 250, "270.5 epochs are nearer to 251 than to 291"


def test_no_sections_for_other_experiments(tmp_path):
    assert sections(write(tmp_path, {"cell": record("smoke", {0: 9.0, 10: 1.0})})) == []


def test_pictures_are_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    *_, pictures = sections(sweep_like_the_paper(tmp_path))
    for draw in pictures.pictures.values():
        assert draw().axes
