"""Experiments of the CoopNets study: composition, and the table from records."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.config.test_build_conf import composed
from tests.papers.fake_records import text_of

from gansweep.config.build import check
from gansweep.papers import sections
from gansweep.papers.compare import rank_correlation, ranks
from gansweep.papers.coopnets import PRINTED, PRINTED_LOSSES, PRINTED_SUMS
from gansweep.sweep.cell import Cell
from gansweep.sweep.identity import digest, identity
from gansweep.sweep.pack_executor import alike
from gansweep.training import record

EXPERIMENTS = range(1, 13)
SMALL_DATA = ["data.num_patches=300"]


def experiment(n, *overrides):
    return check(composed(f"experiment=coopnets_table1/exp_{n}", *SMALL_DATA, *overrides))


@pytest.fixture(scope="module")
def all_twelve():
    found = {n: experiment(n) for n in EXPERIMENTS}
    assert not [problem for one in found.values() for problem in one.problems]
    return found


def test_the_lengths_are_those_of_the_study(all_twelve):
    assert {n: one.run.steps for n, one in all_twelve.items()} == {n: 4000 if n == 1 else 5000 for n in EXPERIMENTS}


def test_the_rates_are_those_of_the_study(all_twelve):
    for n, one in all_twelve.items():
        member = one.run.member
        generator = [member.generator.rate(step, member.steps) for step in range(0, member.steps, 10)]
        descriptor = [member.discriminator.rate(step, member.steps) for step in range(0, member.steps, 10)]
        assert sum(generator) == pytest.approx(PRINTED[n].sum, rel=6e-6), n
        assert sum(descriptor) == pytest.approx(0.0605 if n == 1 else 0.0566, rel=1e-9)


def test_all_twelve_share_a_pack(all_twelve):
    cells = [Cell({}, one.config, {}, str(n), Path(str(n))) for n, one in all_twelve.items()]
    assert len(alike(cells)) == 1


def test_experiment_1_refuses_500_epochs():
    told = [str(problem) for problem in experiment(1, "epochs=500").problems]
    assert any("schedule.epochs=400: schedule shorter than the run" in text for text in told)


def test_another_loss_is_refused_by_name():
    told = [str(problem) for problem in experiment(7, "loss=wgan_gp").problems]
    assert len(told) == 1
    assert "expected loss=mean_difference" in told[0]


@pytest.mark.parametrize("name", ["coopnets_table1", "coopnets_transfer"])
@pytest.mark.parametrize("scale", ["full", "small", "smoke"])
def test_every_scale_composes(name, scale):
    one = f"{name}/exp_1" if name == "coopnets_table1" else name
    assert check(composed(f"experiment={one}", f"scale={name}/{scale}")).problems == []


def forge(directory, n, config, loss, quality, scale="small", state="completed"):
    """Write the files of a cell that the table reads."""
    cell, steps = directory / f"exp_{n}", config["steps"]
    cell.mkdir(parents=True)
    metric = {"name": "kid_texture", "evaluations": [{"step": 0, "value": 9.0}, {"step": steps, "value": quality}]}
    metric |= record.summary(metric["evaluations"]) | {"lower_is_better": True}
    overrides = {"experiment": f"coopnets_table1/exp_{n}", "scale": f"coopnets_table1/{scale}"}
    content = {
        "format": record.FORMAT,
        "state": state,
        "cell": {"hash": digest(identity(config, "data", "2")), "overrides": overrides},
        "config": config,
        "identity": identity(config, "data", "2"),
        "time": {},
        "metric": metric,
        "curves": [{"step": steps // 2, "reconstruction_error": 0.5}, {"step": steps, "reconstruction_error": loss}],
    }
    (cell / "record.json").write_text(json.dumps(content))


def test_the_table_beside_the_printed_one(all_twelve, tmp_path):
    for n, row in PRINTED.items():
        forge(tmp_path, n, all_twelve[n].config, 2 * (row.loss or 0.07), 1 / row.sum)
    table, pictures = sections(tmp_path)
    text = text_of(table)
    assert "| 7 | 3e-4, 1e-4, 5e-5, 5e-5, 1e-5, all x 10 | 5.10 | 0.04403 | 1 | 0.08806 | 1 |" in text
    assert "| 1 | 3.5e-4:100, 3.5e-5:200, 3.5e-6:100 | 0.4235 | unknown | | 0.14 | 9 |" in text
    assert "Order by loss: 7 < 2 < 10 < 8 < 12 < 9 < 11 < 3 < 1 < 4 < 5 < 6" in text
    assert "| our loss | the printed loss | 1.000 | 11 |" in text
    assert "| the printed loss | the sum of their rates | -0.873 | 11 |" in text
    assert "| the samples' quality | the sum of our rates | -1.000 | 12 |" in text
    for draw in pictures.pictures.values():
        assert len(draw().axes) >= 12


def test_a_run_that_did_not_get_to_its_end_has_no_loss(all_twelve, tmp_path):
    forge(tmp_path, 2, all_twelve[2].config, 0.1, 1.0)
    forge(tmp_path, 3, all_twelve[3].config, 0.1, 1.0)
    path = tmp_path / "exp_3" / "record.json"
    short = json.loads(path.read_text())
    path.write_text(json.dumps(short | {"curves": short["curves"][:1]}))
    lines = text_of(sections(tmp_path)[0]).splitlines()
    (row,) = [line for line in lines if line.startswith("| 3 |")]
    assert "| N/A | |" in row


def test_the_printed_correlation_is_the_specs():
    assert rank_correlation(PRINTED_LOSSES, PRINTED_SUMS)[0] == pytest.approx(-0.873, abs=5e-4)
    assert list(ranks(PRINTED_LOSSES)) == [7, 2, 10, 8, 12, 9, 11, 3, 4, 5, 6]


def test_settings_typed_beside_the_sweep_have_a_place():
    """The whole line is checked against the YAML of the sweep before cells exist."""
    one = check(composed("experiment=coopnets_table1", "data.resize=0.5", "algorithm.latent_steps=1"))
    assert one.problems == []
