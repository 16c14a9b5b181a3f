"""Sources of noise in a report. Mistakes: variance of the mean for that of a draw, seeds of one kind as another."""

from __future__ import annotations

import numpy as np
import pytest
from tests.report.studies import study
from tests.report.studies import verdict as made_up_verdict
from tests.sweep.fake_cells import cell, record, write

from gansweep.report import markdown, noise, targets, verdict_text
from gansweep.report.formats import TableOptions, judge
from gansweep.report.study import Study
from gansweep.results.table import write as write_table
from gansweep.sweep.sweep import Sweep

TRAINING, EVALUATION = 8.0, 2.0  # standard deviations


def swept(root, num_draws, seeds=60, training=TRAINING):
    root.mkdir()
    rng = np.random.default_rng(0)
    cells = [cell(root, optimizer=name, seed=seed) for name in ("adam", "sgd") for seed in range(seeds)]
    for one in cells:
        center = 50.0 + 100 * (one.overrides["optimizer"] == "sgd") + training * rng.normal()
        values = (center + EVALUATION * rng.normal(size=num_draws)).tolist()
        content = record(one, values[0])
        content["metric"]["evaluations"][-1]["draws"] = values
        content["metric"]["final"] = sum(values) / num_draws
        write(one, content)
    write_table(Sweep(root, cells, "x"))
    (verdict,) = judge(Study.read(root), TableOptions())
    return verdict


def test_both_deviations_are_found(tmp_path):
    paragraph, table = noise.section(swept(tmp_path / "x", 4)).blocks
    deviations = [float(row[1]) for row in table.rows]
    assert deviations == pytest.approx([TRAINING, EVALUATION], rel=0.15)
    assert "pooled over 2 configurations" in paragraph.text
    assert sum(float(row[3].rstrip("%")) for row in table.rows) == pytest.approx(100, abs=1)


def test_a_noisy_training_is_advised_to_add_seeds(tmp_path):
    paragraph, _ = noise.section(swept(tmp_path / "x", 4, seeds=5)).blocks
    assert "worth more than any number of further evaluations" in paragraph.text


def test_a_noisy_evaluation_is_advised_to_repeat(tmp_path):
    paragraph, _ = noise.section(swept(tmp_path / "x", 4, seeds=8, training=0.5)).blocks
    assert "more evaluation" in paragraph.text


def test_one_draw_has_no_section(tmp_path):
    assert noise.section(swept(tmp_path / "x", 1, seeds=4)) is None


def kinds(root, deviations=(8.0, 2.0, 1.0), levels=4):
    """Write a full grid of three kinds of seeds for two optimizers."""
    root.mkdir()
    rng = np.random.default_rng(1)
    cells = []
    for name in ("adam", "sgd"):
        parts = [deviation * rng.normal(size=levels) for deviation in deviations]
        for place in np.ndindex(levels, levels, levels):
            seeds = dict(zip(("seed_init", "seed_data", "seed_noise"), map(int, place), strict=True))
            one = cell(root, optimizer=name, **seeds)
            value = 50.0 + sum(part[n] for part, n in zip(parts, place, strict=True)) + 0.1 * rng.normal()
            write(one, record(one, float(value)))
            cells.append(one)
    write_table(Sweep(root, cells, "x"))
    return judge(Study.read(root), TableOptions())


def test_kinds_of_seeds_are_repetitions_with_a_component_each(tmp_path):
    (verdict,) = kinds(tmp_path / "x")
    assert [one.name for one in verdict.leaderboard.configurations] == ["optimizer=adam", "optimizer=sgd"]
    assert all(one.estimate.n == 64 for one in verdict.leaderboard.configurations)
    assert {one.estimate.method for one in verdict.leaderboard.configurations} == {"crossed"}
    _, table = noise.section(verdict).blocks
    names = [row[0] for row in table.rows]
    assert names == ["initial weights", "order of the data", "latents, noise and dropout", "interactions and rest"]
    found = [float(row[1]) for row in table.rows]
    assert found[0] > found[1] > found[3]
    assert found[3] == pytest.approx(0.1, rel=0.2)
    text = (tmp_path / "x/table.md").read_text()
    assert "seed_init 0, 1, 2, 3; seed_data 0, 1, 2, 3" in text
    assert "(64)" in text


def test_the_verdict_on_crossed_seeds_does_not_count_every_run(tmp_path):
    """The optimizers do not differ; of 64 runs each, only 4 initialisations are independent."""
    (verdict,) = kinds(tmp_path / "x", deviations=(8.0, 0.0, 0.0))
    (test,) = verdict.comparisons.values()
    assert test.num_levels == 4
    assert test.repetitions < 4.5
    assert not test.beaten()
    assert not verdict.p_first  # too few initialisations for a bootstrap
    text = markdown.write(verdict_text.section(verdict).blocks)
    assert "standard errors clustered by each kind of seed" in text
    assert "more seeds of each kind" in text or test.more_seeds() is None


def test_runs_of_one_seed_join_those_of_crossed_seeds(tmp_path):
    """A run of seed 3 has the initial weights of seed_init=3."""
    crossed = [({"a": a, "seed_init": i, "seed_data": d}, 10.0 * a + i + d) for a, i, d in np.ndindex(2, 2, 2)]
    plain = [({"a": a, "seed": seed}, 10.0 * a + seed) for a in (0, 1) for seed in (3, 4)]
    board = made_up_verdict(study(tmp_path, crossed + plain)).leaderboard
    assert board.repeated == ("seed_init", "seed_data", "seed")
    assert board.seed_levels["3,3,3"] == (3, 3, 3)
    assert board.seed_levels["1,0,0"] == (1, 0, 0)
    assert [one.estimate.n for one in board.configurations] == [6, 6]


@pytest.mark.parametrize("apart", [0, 3])
def test_several_seeds_without_a_test_are_not_called_one_seed(tmp_path, apart):
    """The values are equal, or the seeds are different for each configuration."""
    runs = [({"a": a, "seed": apart * a + n}, 5.0 + apart * a * n) for a in (1, 2) for n in range(3)]
    text = markdown.write(verdict_text.section(made_up_verdict(study(tmp_path, runs))).blocks)
    assert "No test is possible: no two configurations have two common seeds" in text
    assert "One seed" not in text


def test_a_sign_test_of_equal_differences_is_not_explained_by_divergences(tmp_path):
    runs = [({"a": a, "seed": seed}, 5.0 + a) for a in (1, 2) for seed in range(3)]
    assert made_up_verdict(study(tmp_path, runs)).tests == ["sign (where all differences are equal)"]


def test_methods_without_a_run_of_a_task_are_named(tmp_path):
    runs = [({"optimizer": o, "seed": s}, 50.0 + s) for o, n in (("adam", 3), ("sgd", 2)) for s in range(n)]
    text = targets.section(made_up_verdict(study(tmp_path, runs))).blocks[0].text
    assert "which count as not reaching the target there: sgd." in text
