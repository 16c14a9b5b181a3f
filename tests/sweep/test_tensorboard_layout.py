"""TensorBoard files of a sweep, as TensorBoard reads them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
from fake_cells import cell, diverged, record, write

from gansweep.results.table import write as write_table
from gansweep.sweep import tensorboard_layout
from gansweep.sweep.sweep import Sweep
from gansweep.training import events

ON = {"trainer": {"tensorboard": True}}


def told(path):
    """Return the HPARAMS row of a run: its group and its columns."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.plugins.hparams import metadata

    (value,) = [value for event in EventFileLoader(str(path)).Load() for value in event.summary.value]
    start = metadata.parse_session_start_info_plugin_data(value.metadata.plugin_data.content)
    return start.group_name, {key: v.number_value or v.string_value for key, v in start.hparams.items()}


def grid(root, **more):
    cells = [cell(root, optimizer=name, lr=0.1, seed=seed) for name in ("adam", "sgd") for seed in (0, 1)]
    for one in cells:
        one.config.update(ON | more)
    return cells


def test_rows_are_of_what_is_varied_and_seeds_share_one(tmp_path):
    cells = grid(tmp_path / "mine")
    Sweep(tmp_path / "mine", cells).freeze()
    rows = [told(one.directory / events.ROW) for one in cells]
    assert rows[0] == rows[1] == ("mine: optimizer=adam", {"optimizer": "adam"})
    assert rows[2] == rows[3] == ("mine: optimizer=sgd", {"optimizer": "sgd"})


def test_a_later_grid_adds_a_column_to_the_earlier_rows(tmp_path):
    cells = grid(tmp_path)
    Sweep(tmp_path, cells).freeze()
    more = cell(tmp_path, optimizer="adam", lr=0.2, seed=0)
    more.config.update(ON)
    Sweep(tmp_path, [more]).freeze()
    assert told(cells[0].directory / events.ROW)[1] == {"optimizer": "adam", "lr": 0.1}
    assert told(more.directory / events.ROW)[1] == {"optimizer": "adam", "lr": 0.2}


def test_a_column_has_one_type(tmp_path):
    """TensorBoard omits values of another type."""
    cells = [cell(tmp_path, lr=0.1), cell(tmp_path, lr="${other}")]
    assert [row["lr"] for row in tensorboard_layout.table_of(cells)] == ["0.1", "${other}"]


def test_seeds_alone_are_told_apart(tmp_path):
    assert tensorboard_layout.table_of([cell(tmp_path, seed=0), cell(tmp_path, seed=1)]) == [{"seed": 0}, {"seed": 1}]


def test_equal_rows_are_left_as_they_are(tmp_path):
    cells = grid(tmp_path)
    Sweep(tmp_path, cells).freeze()
    before = (cells[0].directory / events.ROW).stat().st_mtime_ns
    Sweep(tmp_path, cells).freeze()
    assert (cells[0].directory / events.ROW).stat().st_mtime_ns == before


def test_without_tensorboard_there_are_no_files(tmp_path):
    write_table(Sweep(tmp_path, grid(tmp_path, trainer={"tensorboard": False})))
    assert not list(tmp_path.rglob(f"{events.PREFIX}*"))


def test_a_directory_that_takes_no_rows_is_only_told_of(tmp_path, caplog):
    cells = grid(tmp_path)
    cells[0].directory.write_text("a file where the cell's directory should be")
    Sweep(tmp_path, cells).freeze()
    assert "could not be written" in caplog.text


def columns_of(root):
    """The tags of the HPARAMS columns of results, with their display names."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.plugins.hparams import metadata

    values = [
        v for event in EventFileLoader(str(root / tensorboard_layout.COLUMNS)).Load() for v in event.summary.value
    ]
    (value,) = [one for one in values if one.tag == metadata.EXPERIMENT_TAG]
    infos = metadata.parse_experiment_plugin_data(value.metadata.plugin_data.content).metric_infos
    return {info.name.tag: info.display_name for info in infos}


def test_every_metric_has_its_own_columns(tmp_path):
    """Mistake: the value of W1 of one run below that of fd_digits of another."""
    cells = grid(tmp_path)
    for number, one in enumerate(cells):
        content = record(one, final=float(number))
        content["metric"]["name"] = ("w1", "fd_digits")[number % 2]
        write(one, content)
        name = content["metric"]["name"]
        assert set(events.results(content)) == {*events.result_tags(name), *events.reference_tags(name)}
    write_table(Sweep(tmp_path, cells))
    assert columns_of(tmp_path) == {
        "result/final w1": "final W1",
        "result/best w1": "best W1 during training",
        "result/untrained w1": "untrained W1",
        "result/real against real w1": "real against real W1",
        "result/final fd_digits": "final fd_digits",
        "result/best fd_digits": "best fd_digits during training",
        "result/untrained fd_digits": "untrained fd_digits",
        "result/real against real fd_digits": "real against real fd_digits",
    }


class Served:
    """TensorBoard on this machine."""

    def __init__(self, logdir) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        line = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir), "--host", "127.0.0.1"]
        self.process = subprocess.Popen([*line, "--port", str(port)], stderr=subprocess.DEVNULL)
        self.url = f"http://127.0.0.1:{port}/data"

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/{path}", data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read())

    def wait_for(self, num_runs) -> None:
        until = time.monotonic() + 120
        while time.monotonic() < until:
            try:
                if len(self.ask("runs")) >= num_runs:
                    return
            except urllib.error.URLError:
                pass
            time.sleep(0.5)
        raise TimeoutError("TensorBoard did not come up")

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture
def trained(tmp_path):
    """Return a sweep whose runs have written their results for HPARAMS."""
    from gansweep.training.events import results
    from gansweep.training.tensorboard import Board

    root = tmp_path / "mine"
    cells = grid(root)
    sweep = Sweep(root, cells)
    sweep.freeze()
    for number, one in enumerate(cells):
        content = write(one, diverged(one) if number == 3 else record(one, final=10.0 * (number + 1)))
        runs = Board(one.directory, 0, {}, one.name, {"optimizer": {"beta2": 0.999}})
        runs.scalars({"loss/generator": 1.0}, 50)
        runs.scalars({"loss/generator": 2.0}, 100)
        runs.close()
        runs.end(number != 3, results(content), 100)
    write_table(sweep)
    return root


@pytest.mark.slow
def test_tensorboard_serves_rows_columns_layout_table_and_units(trained):
    with Served(trained) as served:
        served.wait_for(5)
        experiment = served.ask("plugin/hparams/experiment", {"experimentName": ""})
        assert [one["name"] for one in experiment["hparamInfos"]] == ["optimizer"]
        metrics = [one["name"] for one in experiment["metricInfos"]]
        names = "final", "best", "untrained", "real against real"
        assert [one["tag"] for one in metrics] == [f"result/{name} fd_digits" for name in names]
        assert [one["displayName"] for one in experiment["metricInfos"]] == [
            "final fd_digits",
            "best fd_digits during training",
            "untrained fd_digits",
            "real against real fd_digits",
        ]

        every = [f"STATUS_{name}" for name in ("UNKNOWN", "SUCCESS", "FAILURE", "RUNNING")]
        ask = {"allowedStatuses": every, "colParams": [{"metric": one} for one in metrics], "sliceSize": 100}
        found = served.ask("plugin/hparams/session_groups", ask | {"startIndex": 0})
        assert found["totalSize"] == 2, "a row for every setting"
        adam, sgd = sorted(found["sessionGroups"], key=lambda one: one["name"])
        assert adam["name"] == "mine: optimizer=adam"
        assert adam["hparams"] == {"optimizer": "adam"}
        assert [one["status"] for one in adam["sessions"]] == ["STATUS_SUCCESS"] * 2, "its seeds"
        assert {one["name"]["tag"]: one["value"] for one in adam["metricValues"]} == {
            "result/final fd_digits": 15.0,
            "result/best fd_digits": 14.0,
            "result/untrained fd_digits": 400.0,
            "result/real against real fd_digits": pytest.approx(3.1, rel=1e-6),
        }
        assert {one["status"] for one in sgd["sessions"]} == {"STATUS_SUCCESS", "STATUS_FAILURE"}
        final = next(one for one in sgd["metricValues"] if one["name"]["tag"] == "result/final fd_digits")
        assert final["value"] == "NaN", "a seed that diverged is not left out of the mean"

        titles = [one["title"] for one in served.ask("plugin/custom_scalars/layout")["category"]]
        assert titles == list(tensorboard_layout.CHARTS)
        texts = {run: sorted(tags) for run, tags in served.ask("plugin/text/tags").items()}
        assert texts.pop(".") == ["table", "units"]
        assert list(texts.values()) == [["config"]] * 4
        (config,) = served.ask(f"plugin/text/text?run={urllib.parse.quote(next(iter(texts)))}&tag=config")
        assert "optimizer:\n  beta2: 0.999" in config["text"]
        (text,) = served.ask("plugin/text/text?run=.&tag=table")
        assert "<table>" in text["text"]
        assert "fd_digits" in text["text"]
        (units,) = served.ask("plugin/text/text?run=.&tag=units")
        assert "including penalties" in units["text"]
        run = urllib.parse.quote(sorted(path.name for path in trained.glob("optimizer=adam*"))[0])
        points = served.ask(f"plugin/scalars/scalars?run={run}&tag=loss/generator")
        assert [(step, value) for _, step, value in points] == [(50, 1.0), (100, 2.0)]
