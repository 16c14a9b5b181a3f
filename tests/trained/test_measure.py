"""python -m gansweep.measure. Mistakes: another generator than the final one, lost fields, values of other cells."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

import gansweep
import gansweep.results
from gansweep.measure import main
from gansweep.report.__main__ import main as report
from gansweep.sweep import records
from gansweep.sweep.cell_lock import Claim
from gansweep.training import checkpoint, record

ALL = {"fingerprint", "final", "floor", "generator", "name", "measured", "versions", "settings", "device"}


def contents(sweep="averaged"):
    return {path.parent.name: records.read(path.parent) for path in Path("outputs", sweep).glob("*/record.json")}


def test_the_value_of_the_training_is_found_again(outputs, capsys):
    """Measured on the same latents, the metric of the training has the same bits."""
    before = contents()
    for directory in (outputs / "averaged").glob("*/record.json"):
        content = json.loads(directory.read_text())
        content["metric"]["fingerprint"]["version"] = -1  # as if it had been another metric
        del content["sha256"]
        directory.write_text(json.dumps(content))
    assert main(["outputs/averaged", "metric=digits", "metric.num_samples=16"]) == 0
    for name, content in contents().items():
        (entry,) = content["further_metrics"]
        assert entry["final"] == before[name]["metric"]["final"]
        assert entry["floor"] == before[name]["metric"]["floor"]
        assert entry["fingerprint"] == before[name]["metric"]["fingerprint"]
        assert entry.keys() >= ALL
        assert (entry["generator"], entry["final_step"]) == ("ema", 4)


def test_nothing_else_in_the_record_changes_and_values_are_measured_once(outputs, capsys):
    before = contents()
    assert main(["outputs/averaged", "metric=thumbnail", "metric.num_samples=20"]) == 0
    first = contents()
    assert {name: {**content, "further_metrics": None} for name, content in first.items()} == {
        name: {**content, "further_metrics": None} for name, content in before.items()
    }
    capsys.readouterr()
    assert main(["outputs/averaged", "metric=thumbnail,digits", "metric.num_samples=20"]) == 0
    assert capsys.readouterr().out.count("is in the record already") == 4
    for name, content in contents().items():
        assert content["further_metrics"][:1] == first[name]["further_metrics"]
        assert [entry["name"] for entry in content["further_metrics"]] == ["fd_thumbnail", "fd_digits"]
    assert main(["outputs/averaged", "metric=digits", "metric.num_samples=16"]) == 0  # the metric of the training
    assert capsys.readouterr().out.count("is in the record already") == 4
    assert not list(outputs.glob("averaged/*/.claim*"))


def test_tables_report_and_hparams_show_the_values(outputs, capsys):
    cell = gansweep.load("outputs/averaged", "optimizer=adam", "seed=1").result.cell.directory
    for number in (20, 30):
        assert main(["outputs/averaged", "metric=thumbnail", f"metric.num_samples={number}"]) == 0
    entries = records.read(cell)["further_metrics"]
    values = {entry["fingerprint"]["n_fake"]: entry["final"] for entry in entries}
    metric = records.read(cell)["metric"]["name"]
    labels = {number: next(label for label in _labels() if f"n_fake={number}" in label) for number in (20, 30)}
    frame = gansweep.results.load("outputs/averaged").set_index("cell")
    for number, label in labels.items():
        assert label.startswith("fd_thumbnail (")
        assert frame[f"final {label}"][cell.name] == values[number]
        assert f"final {label}" in (outputs / "averaged/table.md").read_text()
        assert f"final {label}" in (outputs / "averaged/results.csv").read_text()
        assert label.encode() in (outputs / "averaged/events.out.tfevents.0000000000.columns").read_bytes()
        assert _hparams(cell)[f"result/final {label}, measured after training"] == pytest.approx(values[number])
    assert _hparams(cell)[f"result/final {metric}"] == pytest.approx(records.read(cell)["metric"]["final"])
    capsys.readouterr()
    assert report(["outputs/averaged", "--format", "html"]) == 0
    page = (outputs / "averaged/report.html").read_text()
    assert "Measured after training" in page
    assert all(label in page for label in labels.values())


def _labels():
    names = gansweep.results.load("outputs/averaged").columns
    return [name.removeprefix("final ") for name in names if name.startswith("final ")]


def _hparams(cell):
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.util.tensor_util import make_ndarray

    values = {}
    for event in EventFileLoader(str(cell / "events.out.tfevents.9999999999.end")).Load():
        for value in event.summary.value:
            if value.tag.startswith("result/"):
                values[value.tag] = float(make_ndarray(value.tensor))
    return values


def test_a_table_of_single_runs_has_a_column(outputs):
    assert main(["outputs/diverged", "metric=thumbnail", "metric.num_samples=20"]) == 0
    assert "final fd_thumbnail" in (outputs / "diverged/table.md").read_text().splitlines()[0]
    good, bad = sorted(contents("diverged").values(), key=lambda content: content["state"])
    assert "further_metrics" not in bad
    assert good["further_metrics"][0]["generator"] == "raw"


def test_a_locked_cell_is_not_written(outputs, capsys, monkeypatch):
    cell = gansweep.load("outputs/averaged", "optimizer=adam", "seed=1").result.cell.directory
    before = (cell / "record.json").read_bytes()
    with Claim.acquire(cell):
        assert main(["outputs/averaged", "metric=thumbnail", "metric.num_samples=20"]) == 1
    assert f"{cell.name}: fd_thumbnail was not measured: is locked" in capsys.readouterr().err
    assert (cell / "record.json").read_bytes() == before
    assert sum("further_metrics" in content for content in contents().values()) == 3
    assert main(["outputs/averaged", "metric=thumbnail", "metric.num_samples=20"]) == 0
    assert sum("further_metrics" in content for content in contents().values()) == 4


def test_a_checkpoint_of_another_training_is_not_measured(outputs, capsys):
    cells = [gansweep.load("outputs/averaged", "optimizer=adam", f"seed={n}").result.cell.directory for n in (0, 1)]
    shutil.copy(cells[0] / "checkpoint.pt", cells[1] / "checkpoint.pt")
    assert main([str(cells[1]), "metric=thumbnail", "metric.num_samples=20"]) == 1
    assert "is a checkpoint of another training than record.json" in capsys.readouterr().err


def test_samples_that_are_not_finite_have_no_value(outputs, capsys):
    cell = gansweep.load("outputs/averaged", "optimizer=adam", "seed=1").result.cell.directory
    content = checkpoint.read(cell / "checkpoint.pt")
    content["member"]["ema"].fill_(float("nan"))
    del content["sha256"]
    record.write(cell, {key: value for key, value in records.read(cell).items() if key != "checkpoint"})
    torch.save(content, cell / "checkpoint.pt")
    assert main([str(cell), "metric=thumbnail", "metric.num_samples=20"]) == 0
    (entry,) = records.read(cell)["further_metrics"]
    assert (entry["final"], entry["reason"]) == (None, "fd_thumbnail is nan")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["outputs/nowhere", "metric=digits"], "there is no such folder"),
        (
            ["outputs", "metric=digits"],
            "contains neither a cell nor a sweep; it contains the sweeps averaged, diverged",
        ),
        (["outputs/averaged"], "metric: must be chosen: metric=..."),
        (["outputs/averaged", "metric=null"], "metric: must be chosen: metric=..."),
        (["outputs/averaged", "metric=nothing"], "nothing"),
        (["outputs/averaged", "metric=digits", "metric.colour=1"], "metric.colour=1: unknown key"),
        (["outputs/averaged", "metric=digits", "metric.num_samples=1"], "metric.num_samples=1: a covariance needs"),
        (["outputs/averaged", "metric=digits", "lr=1e-3"], "lr=0.001: has no effect on finished cells"),
        (["outputs/averaged", "metric=wasserstein1"], "metric"),
        (["outputs/averaged", "metric=digits", "device=tpu"], "device=tpu"),
        (["outputs/averaged", "metric=digits", "metric.num_samples"], "expected key=value"),
    ],
)
def test_bad_input(outputs, capsys, arguments, words):
    before = contents()
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert words in output.err
    assert "Traceback" not in output.err
    assert contents() == before


def test_a_sweep_without_final_weights(outputs, capsys):
    (cell,) = (path.parent for path in outputs.glob("diverged/lr=1e+30*/record.json"))
    assert main([str(cell), "metric=digits"]) == 2
    output = capsys.readouterr()
    assert "left out: lr=1e+30" in output.out
    assert "diverged at step 1" in output.out
    assert "has no finished cell with final weights" in output.err
