"""Nothing is called first that is no better than untrained, in any format. Mistake: the best of bad values in bold."""

from __future__ import annotations

import csv
import io
import json

import pytest
from tests.sweep.fake_cells import cell, record, write

from gansweep.report.__main__ import main
from gansweep.results.table import write as write_table
from gansweep.sweep import tensorboard_layout
from gansweep.sweep.sweep import Sweep
from gansweep.training import events

UNTRAINED = 40.0


@pytest.fixture
def sweeps(tmp_path):
    """Return two sweeps on two data sets; adam has the better values, and all are no better than untrained."""
    roots = []
    for data in ("ring", "grid"):
        root = tmp_path / data
        root.mkdir()
        cells = [cell(root, data=data, optimizer=name, seed=n) for name in ("adam", "sgd") for n in range(6)]
        for one in cells:
            value = UNTRAINED + 2 + 20 * (one.overrides["optimizer"] == "sgd") + 0.1 * one.overrides["seed"]
            write(one, record(one, value, untrained=UNTRAINED, fingerprint={"metric": "fd", "data": data}))
        write_table(Sweep(root, cells, "x"))
        roots.append(root)
    return roots


def report(capsys, *arguments) -> str:
    assert main([str(argument) for argument in arguments]) == 0
    return capsys.readouterr().out


def test_text(sweeps, capsys):
    for options in ([], ["--top", "1"], ["--select", "best"], ["--rows", "optimizer"]):
        out = report(capsys, sweeps[0], *options)
        assert "No configuration is better than the untrained generator" in out
        assert "is first" not in out
        assert "**" not in out
    assert "**" not in (sweeps[0] / "table.md").read_text()


def test_tensorboard(tmp_path):
    """The text of the table, and the columns of HPARAMS: none is a rank, and two are the ends of the scale."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    cells = [cell(tmp_path, optimizer=name, seed=n) for name in ("adam", "sgd") for n in range(2)]
    for one in cells:
        one.config["trainer"] = {"tensorboard": True}
        write(one, record(one, UNTRAINED + one.overrides["seed"], untrained=UNTRAINED))
    assert "no better than the untrained generator" in write_table(Sweep(tmp_path, cells, "x"))
    (value,) = [v for e in EventFileLoader(str(tmp_path / tensorboard_layout.TABLE)).Load() for v in e.summary.value]
    (text,) = value.tensor.string_val
    assert b"no better than the untrained generator" in text
    assert b"**" not in text
    tags = events.results(record(cells[0], UNTRAINED, untrained=UNTRAINED))
    assert tags["result/untrained fd_digits"] == UNTRAINED
    assert not any(word in tag for tag in tags for word in ("first", "rank"))


def test_latex(sweeps, capsys):
    assert "\\textbf" not in report(capsys, sweeps[0], "--format", "latex")


def test_rows(sweeps, capsys):
    table = list(csv.DictReader(io.StringIO(report(capsys, sweeps[0], "--format", "csv"))))
    assert [row["rank"] for row in table] == ["", ""]
    assert {row["verdict"] for row in table} == {"no better than untrained"}
    rows = json.loads(report(capsys, sweeps[0], "--format", "json"))["candidates"]
    assert [row["rank"] for row in rows] == [None, None]


def test_page(sweeps, tmp_path, capsys):
    report(capsys, sweeps[0], "--format", "html", "--out", tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "is first of" not in text
    assert "<strong>adam" not in text


def test_over_tasks(sweeps, capsys):
    out = " ".join(report(capsys, *sweeps).split())
    assert "No method is first: on every task each has an N/A run or is no better than the untrained generator." in out
    assert "best mean rank," not in out
    assert "**" not in out
