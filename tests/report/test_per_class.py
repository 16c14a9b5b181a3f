"""Values of single classes in the record and in the report. Mistakes: of another evaluation, metric or class."""

from __future__ import annotations

import math
from pathlib import Path
from statistics import fmean

import pytest
from tests.typed import typed

import gansweep.report.per_class
from gansweep.measure import main as measure
from gansweep.report.formats import TableOptions, judge
from gansweep.report.study import Study
from gansweep.sweep import records

LINE = [
    *("-m", "name=labels", "model.conditional=true", "metric@metric_2=intra_digits", "lr=1e-3,1e-2", "seed=0,1"),
    *("metric.num_samples=20", "metric_2.num_samples=40", "batch_size=8", "steps=4", "trainer.eval_every=2"),
    *("model.latent_dim=4", "model.generator_widths=[8]", "model.discriminator_widths=[8]", "workers=1", "device=cpu"),
    "trainer.tensorboard=false",
]


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    return typed(tmp_path_factory.mktemp("labels"), LINE) / "labels"


def sections(sweep: Path, select: str = "final"):
    options = TableOptions(select=select)
    return [gansweep.report.per_class.section(verdict) for verdict in judge(Study.read(sweep), options)]


def contents(sweep: Path):
    return [records.read(path.parent) for path in sorted(sweep.glob("*/record.json"))]


def test_records_have_the_value_of_every_class(sweep):
    for content in contents(sweep):
        for evaluation in content["metric"]["evaluations"]:
            assert "per_class" not in evaluation
            assert len(evaluation["per_class_2"]) == 10
            assert fmean(evaluation["per_class_2"]) == pytest.approx(evaluation["value_2"])
            assert len({round(value, 3) for value in evaluation["per_class_2"]}) > 5


@pytest.mark.parametrize("select", ["final", "best"])
def test_the_table_has_the_means_over_seeds_of_every_class(sweep, select):
    (section,) = sections(sweep, select)
    _, table = section.blocks
    assert table.caption == "intra_fd_digits"
    assert [row[0].text for row in table.entries] == [*map(str, range(10)), "mean of all"]
    assert table.head[-1] == "untrained"
    for column, name in enumerate(table.head[1:], 1):
        runs = [one for one in contents(sweep) if name in (f"lr={one['config']['lr']}", "untrained")]
        assert len(runs) == (4 if name == "untrained" else 2)
        steps = [0 if name == "untrained" else one["metric"][f"{select}_step"] for one in runs]
        values = [
            next(e["per_class_2"] for e in one["metric"]["evaluations"] if e["step"] == step)
            for one, step in zip(runs, steps, strict=True)
        ]
        for c in range(10):
            assert table.entries[c][column].sort == pytest.approx(fmean(one[c] for one in values), rel=0.02)
        assert table.entries[10][column].sort == pytest.approx(fmean(map(fmean, values)), rel=0.02)


def test_metrics_measured_later_have_them_too(sweep, capsys):
    assert measure([str(sweep), "metric=intra_digits", "metric.num_samples=60"]) == 0
    for content in contents(sweep):
        (entry,) = content["further_metrics"]
        assert math.isclose(fmean(entry["per_class"]), entry["final"])
    (section,) = sections(sweep)
    assert "measured after training" in section.blocks[2].caption


def test_records_with_other_types_are_refused(sweep, tmp_path):
    from gansweep.training import record

    content = contents(sweep)[0]
    content["metric"]["evaluations"][0]["per_class_2"] = ["1"]
    record.write(tmp_path, content)
    with pytest.raises(records.UnreadableRecord, match="per_class_2"):
        records.read(tmp_path)
