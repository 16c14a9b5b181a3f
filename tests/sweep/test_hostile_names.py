"""Names and messages that a terminal, a spreadsheet or a browser would carry out are shown as text."""

from __future__ import annotations

import csv
import io
import json

import pytest
from fake_cells import cell, record, write

from gansweep import console
from gansweep.cli.error_report import complain
from gansweep.config.errors import SettingError
from gansweep.formatting import csv_field, visible
from gansweep.report import __main__ as report
from gansweep.results.frame import spreadsheet
from gansweep.results.table import table
from gansweep.results.table import write as write_table
from gansweep.sweep import records
from gansweep.sweep.cell import Result, State
from gansweep.sweep.plan import Plan, PlannedCell
from gansweep.sweep.progress import Progress
from gansweep.sweep.sweep import FROZEN, Sweep

HOSTILE = "a\x1b]0;title\x07b\x1b[2Jc\rd\x9be\u202ef\u2028g\ud800h"
SCRIPT = "<script>alert(1)</script>"


def is_clean(text):
    return not set("\x1b\x07\r\x9b\u202e\u2028\ud800") & set(text)


def failed(root, name):
    one = cell(root, optimizer=name)
    error = {"type": name, "message": name, "traceback": name}
    return Result(one, State.FAILED, record(one, state="failed", metric=None, error=error))


def test_what_a_terminal_would_carry_out_is_shown_as_codes(tmp_path, capsys):
    complain([SettingError(HOSTILE, HOSTILE, HOSTILE)], "trained")
    console.say(HOSTILE)

    def broken():
        raise ValueError(HOSTILE)

    console.exit_code(broken)
    said = capsys.readouterr()
    assert is_clean(said.out + said.err)
    assert "\\x1b" in said.out
    assert "\\u202e" in said.err
    shown = Progress(1, stream := io.StringIO())
    shown.finish(HOSTILE, State.FAILED)
    results = [failed(tmp_path, HOSTILE), failed(tmp_path, "adam")]
    assert is_clean(stream.getvalue())
    assert is_clean(Plan(tmp_path, [PlannedCell(result, True, None, None) for result in results]).text())
    assert is_clean(spreadsheet(results))
    assert is_clean(table(results, [HOSTILE], HOSTILE))


def test_a_record_that_can_not_be_read_is_named_as_text(tmp_path):
    """The directory may come from elsewhere, so its name is not ours."""
    cell_directory = tmp_path / "a\x1b[2J"
    cell_directory.mkdir()
    (cell_directory / "record.json").write_text("{")
    with pytest.raises(records.UnreadableRecord) as raised:
        records.read(cell_directory)
    assert is_clean(str(raised.value))
    assert "a\\x1b[2J" in str(raised.value)


def test_line_feeds_and_letters_stay():
    assert visible("ü ± 漢\n\t—\u00a0") == "ü ± 漢\n\t—\u00a0"


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+x", "-x", "@SUM(1)", "\tx", "\n=x", "=1+1"])
def test_a_spreadsheet_gets_no_formula(tmp_path, text):
    assert csv_field(text) == f"'{text}"
    (row,) = csv.DictReader(io.StringIO(spreadsheet([failed(tmp_path, text)])))
    assert row["optimizer"] == f"'{text}"
    assert row["error"] == f"'{text}: {text}"
    (head, _) = csv.reader(io.StringIO(spreadsheet([failed(tmp_path, "adam")])))
    assert "optimizer" in head


@pytest.mark.parametrize("number", ["-", "-1.5", "-1e-3", "+2", "-inf", -1.5, 3, None])
def test_a_spreadsheet_gets_numbers_as_they_are(number):
    assert csv_field(number) == number


@pytest.mark.parametrize("form", ["md", "html", "latex", "csv", "json"])
def test_a_report_shows_names_as_text(tmp_path, form, capsys):
    root = tmp_path / "s"
    cells = []
    hidden = "" if form == "html" else HOSTILE[:-2]  # matplotlib warns that it can't draw them
    for name in (f"{SCRIPT}{hidden}", "=cmd|x", "adam"):
        for lr in (0.1, 0.2):
            one = cell(root, optimizer=name, lr=lr, data={"root": SCRIPT})
            content = record(one, 50 + lr, fingerprint={"metric": SCRIPT, "n_real": 1, "n_fake": 2, SCRIPT: SCRIPT})
            content["metric"]["name"] = f"{SCRIPT}{hidden}"
            content["versions"]["torch"] = SCRIPT
            content["device"] = {"name": SCRIPT, SCRIPT: SCRIPT}
            cells.append(one)
            write(one, content)
    error = {"type": SCRIPT, "message": SCRIPT, "traceback": SCRIPT}
    write(cells[-1], record(cells[-1], state="failed", metric=None, error=error))
    reason = {"step": 3, "player": SCRIPT, "cause": SCRIPT}
    write(cells[-2], record(cells[-2], None, state="diverged", divergence=reason))
    sweep = Sweep(root, cells, f"python {SCRIPT}\x1b\n\\write18{{x}}")
    sweep.note = f"{SCRIPT}\x1b"
    sweep.freeze()
    assert json.loads((root / FROZEN).read_text())["note"]
    assert report.main([str(root), "--format", form, "--out", str(tmp_path / "out")]) == 0, capsys.readouterr()
    text = (tmp_path / "out").read_text(encoding="utf-8")
    assert is_clean(text.replace("\r\n", "\n"))
    if form == "html":
        assert SCRIPT not in text
    if form == "latex":
        assert all(line.startswith("%") for line in text.splitlines() if SCRIPT in line or "write18" in line)
    if form == "csv":
        assert not any(str(field).startswith(("=", "@")) for row in csv.reader(io.StringIO(text)) for field in row)


def test_tensorboard_gets_text_that_it_can_hold(tmp_path):
    """Mistake: a path that is not UTF-8 ends the sweep with a UnicodeEncodeError of protobuf."""
    cells = [cell(tmp_path, optimizer=name, trainer={"tensorboard": True}) for name in (f"a{HOSTILE}", "b")]
    for one in cells:
        write(one, record(one))
    sweep = Sweep(tmp_path, cells, HOSTILE)
    sweep.freeze()
    write_table(sweep)
    found = [path for path in tmp_path.rglob("events.out.*") if b"\x1b]0" in path.read_bytes()]
    assert list(tmp_path.glob("events.out.*"))
    assert found == []
