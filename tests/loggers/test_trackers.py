"""logger=wandb, mlflow and trackio with the real packages, where they are installed; nothing uses a network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest
from tests.cli.tiny import TINY

LINE = [word for word in TINY if word != "~metric"]
LINE += ["metric.num_samples=200", "trainer.log_every=1", "pack=2", "progress=off", "-m", "lr=1e-3", "seed=0,1"]


@pytest.fixture
def trained(tmp_path, request):
    """Two seeds trained as one pack with the logger of the parameter; returns the folder and the records by seed."""
    name = request.param
    if find_spec(name) is None:
        pytest.skip(f"needs {name}")
    keep = {
        key: value for key, value in os.environ.items() if not key.startswith(("WANDB", "MLFLOW", "TRACKIO", "HF_"))
    }
    environment = keep | {"TRACKIO_DIR": str(tmp_path / "trackio"), "HOME": str(tmp_path)}
    line = [sys.executable, "-m", "gansweep", *LINE, "name=s", f"logger={name}"]
    ended = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "The logger" not in ended.stderr
    records = [json.loads(path.read_text()) for path in sorted(tmp_path.glob("outputs/s/*/record.json"))]
    assert [record["pack"]["members"] for record in records] == [2, 2]
    return tmp_path, {record["config"]["seed"]: record for record in records}


def mean_and_deviation(records) -> tuple[float, float]:
    first, second = (record["metric"]["final"] for record in records.values())
    return (first + second) / 2, abs(first - second) / 2**0.5


@pytest.mark.slow
@pytest.mark.parametrize("trained", ["mlflow"], indirect=True)
def test_mlflow_has_a_run_per_seed_below_the_mean_of_their_configuration(trained):
    from mlflow import MlflowClient

    folder, records = trained
    client = MlflowClient(f"sqlite:///{folder}/outputs/mlflow/mlflow.db")
    runs = client.search_runs([client.get_experiment_by_name("s").experiment_id])
    seeds = {int(run.data.params["seed"]): run for run in runs if "seed" in run.data.params}
    (parent,) = (run for run in runs if run not in seeds.values())
    assert {run.data.tags["mlflow.parentRunId"] for run in seeds.values()} == {parent.info.run_id}
    for seed, run in seeds.items():
        assert run.info.status == "FINISHED"
        assert run.data.metrics["result/final"] == records[seed]["metric"]["final"]
        history = client.get_metric_history(run.info.run_id, "Metric/fd_digits")
        assert [(point.step, point.value) for point in history] == [
            (e["step"], e["value"]) for e in records[seed]["metric"]["evaluations"]
        ]
        assert {point.step for point in client.get_metric_history(run.info.run_id, "loss/generator")} == {1, 2}
        assert len(client.list_artifacts(run.info.run_id, "samples/generated real right")) == 2
    mean, deviation = mean_and_deviation(records)
    assert parent.data.metrics["result/final mean"] == pytest.approx(mean)
    assert parent.data.metrics["result/final deviation"] == pytest.approx(deviation)
    assert (parent.data.metrics["result/final n"], parent.info.status) == (2, "FINISHED")


@pytest.mark.slow
@pytest.mark.parametrize("trained", ["wandb"], indirect=True)
def test_wandb_has_an_offline_run_per_seed_in_the_group_of_their_configuration(trained):
    folder, records = trained
    files = [path.read_bytes() for path in folder.glob("outputs/s/wandb/offline-run-*/*.wandb")]
    assert len(files) == 2
    for record in records.values():
        (content,) = (content for content in files if record["cell"]["name"].encode() in content)
        assert b"Metric/fd_digits" in content
        assert b"loss/generator" in content
        assert repr(record["metric"]["final"]).encode() in content
    groups = [content[content.index(b"defaults-") :][:17] for content in files]
    assert groups[0] == groups[1]
    assert len(list(folder.glob("outputs/s/wandb/offline-run-*/files/media/images/**/*.png"))) == 4


@pytest.mark.slow
@pytest.mark.parametrize("trained", ["trackio"], indirect=True)
def test_trackio_has_a_run_per_seed_and_one_with_their_mean(trained):
    folder, records = trained
    code = """
import json, trackio
from trackio.sqlite_storage import SQLiteStorage
runs = trackio.Api().runs("s")
print(json.dumps({run.name: [run.config["_Group"], SQLiteStorage.get_logs("s", run.name)] for run in runs}))
"""
    environment = os.environ | {"TRACKIO_DIR": str(folder / "trackio"), "HOME": str(folder)}
    out = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout
    runs = json.loads(out.splitlines()[-1])
    names = {record["cell"]["name"]: record for record in records.values()}
    (mean_name,) = runs.keys() - names.keys()
    for name, record in names.items():
        group, logs = runs[name]
        assert group == mean_name
        values = [(log["step"], log["Metric/fd_digits"]) for log in logs if "Metric/fd_digits" in log]
        assert values == [(e["step"], e["value"]) for e in record["metric"]["evaluations"]]
        assert [log["result/final"] for log in logs if "result/final" in log] == [record["metric"]["final"]]
    group, logs = runs[mean_name]
    mean, deviation = mean_and_deviation(records)
    assert (group, logs[-1]["step"]) == ("mean over seeds", 2)
    assert logs[-1]["result/final mean"] == pytest.approx(mean)
    assert logs[-1]["result/final deviation"] == pytest.approx(deviation)
