"""A trained point. Mistakes: a mean that is a sum, curvatures swapped, a path that begins after the first step."""

from __future__ import annotations

import json

import pytest
from tests.config.test_build_conf import composed
from tests.papers.fake_records import text_of

from gansweep.config.build import check
from gansweep.papers import sections
from gansweep.papers.forsyth import descent
from gansweep.papers.runs import read
from gansweep.quadratic import momentum
from gansweep.sweep.identity import digest
from gansweep.training.trainer import train

POINT = ("experiment=forsyth_quadratic", "device=cpu", "trainer.tensorboard=false")


def trained(folder, *overrides, name="cell"):
    config = composed(*POINT, *overrides)
    checked = check(config)
    assert checked.problems == []
    record = train(checked.run, folder / name)
    choice = next((one.partition("=")[2] for one in overrides if one.startswith("optimizer=")), "adam")
    record["config"] = checked.config
    record["cell"] = {
        "name": name,
        "hash": digest({}),
        "overrides": {"experiment": "forsyth_quadratic", "optimizer": choice},
    }
    (folder / name / "record.json").write_text(json.dumps(record))
    return record


def test_a_batch_of_any_size_goes_by_the_formula(tmp_path):
    record = trained(tmp_path, "optimizer=momentum", "lr=0.1", "steps=100", "batch_size=2")
    for point in (record["curves"][0], record["curves"][9], record["curves"][99]):
        expected = [momentum(lam, 0.1, 0.9, point["step"]) for lam in (0.01, 1.0)]
        assert [point["x"], point["y"]] == pytest.approx(expected, abs=1e-6)
    assert record["metric"]["final"] == pytest.approx((point["x"] ** 2 + point["y"] ** 2) ** 0.5, rel=1e-5)


def test_with_other_data_the_minimum_is_their_mean(tmp_path, caplog):
    shape = ("data.num_samples=64", "data.std=0.5", "batch_size=64", "algorithm.eps=0.5", "metric.num_samples=64")
    config = composed(*POINT, *shape)
    mean = check(config).run.data.samples.mean(0).tolist()
    record = trained(tmp_path, "optimizer=sgd", "lr=1", "steps=60", *shape)
    last = record["curves"][-1]
    assert [last["x"], last["y"]] == pytest.approx(mean, abs=1e-5)
    (section,) = sections(tmp_path)
    assert "noisy gradients" in text_of(section)
    assert "equal" not in caplog.text  # all samples of a point are equal


def test_sections_put_paths_beside_formulas_and_divergence_beside_its_factor(tmp_path):
    pytest.importorskip("matplotlib")
    trained(tmp_path, "optimizer=sgd", "lr=1.9", "steps=50", name="a")
    trained(tmp_path, "optimizer=sgd", "lr=30", "steps=50", name="b")
    trained(tmp_path, "optimizer=adam", "lr=0.1", "steps=50", "schedule=linspace", "trainer.log_every=5", name="c")
    (section,) = sections(tmp_path)
    rows = {
        tuple(row[1:3]): row
        for row in ([part.strip() for part in line.split("|")] for line in text_of(section).splitlines())
        if len(row) > 8
    }
    assert rows["sgd", "1.9"][6] == "formula"
    assert rows["sgd", "1.9"][8] == "0.981000"
    assert rows["sgd", "30"][3].startswith("diverged at ")
    assert rows["sgd", "30"][4] == "N/A"
    assert rows["sgd", "30"][8] == "29.000000"
    assert rows["adam", "0.1"][6] == "float64"
    assert all(float(rows[key][7]) < 5e-6 for key in (("sgd", "1.9"), ("adam", "0.1")))
    for draw in section.pictures.values():
        draw().savefig(tmp_path / "drawn.png")


def test_seeds_are_rows_and_paths_of_their_own(tmp_path):
    for seed in (0, 1):
        record = trained(tmp_path, f"seed={seed}", "data.std=0.5", "steps=2", name=f"cell-{seed}")
        record["cell"]["overrides"] |= {"seed": seed}
        (tmp_path / f"cell-{seed}" / "record.json").write_text(json.dumps(record))
    (section,) = sections(tmp_path)
    assert "| 0.0001, seed=0 |" in text_of(section)
    assert "| 0.0001, seed=1 |" in text_of(section)
    (maps, _) = section.pictures.values()
    assert len(maps().axes) == 2


def test_nothing_is_expected_where_a_schedule_changes_the_momentum(tmp_path):
    trained(tmp_path, "optimizer=momentum", "lr=0.1", "steps=20", "schedule@schedule_beta=linspace")
    (cell,) = read(tmp_path)
    found = descent(cell)
    assert found.expected is None
    assert found.error is None
    assert found.by == "not computed"


def test_a_path_that_left_its_formula_is_seen(tmp_path):
    record = trained(tmp_path, "optimizer=sgd", "lr=1.9", "steps=10")
    record["curves"][5]["y"] += 0.01
    (tmp_path / "cell" / "record.json").write_text(json.dumps(record))
    (cell,) = read(tmp_path)
    assert descent(cell).error == pytest.approx(0.01, rel=1e-3)
