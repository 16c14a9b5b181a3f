"""Progress display."""

from __future__ import annotations

import io

from gansweep.sweep import progress
from gansweep.sweep.cell import State
from gansweep.sweep.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def go(stream, monkeypatch, mode="auto"):
    clock = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    shown = Progress(4, stream, mode)
    shown.skip(State.COMPLETED)
    for step in range(1, 101):
        clock[0] += 1
        shown.step("first", step, 100, "fd 57.2")
    shown.finish("first", State.DIVERGED)
    clock[0] += 50
    shown.step("second", 50, 100, "")
    shown.finish("second", State.COMPLETED, "57.20")
    return stream.getvalue()


def test_a_file_gets_one_line_per_finished_cell(monkeypatch):
    monkeypatch.setattr(progress, "FIRST_PLAIN_LINE_S", 60.0)
    lines = go(io.StringIO(), monkeypatch).splitlines()
    assert lines == [
        "1/4 cells | 1 running: first step 60 of 100 | 0.983 steps/s | 4 min left",
        "first: diverged | 2/4 cells, 1 diverged | 3 min left",
        "second: completed 57.20 | 3/4 cells, 1 diverged | 75 s left",
    ]


def test_the_first_line_for_running_cells_comes_soon(monkeypatch):
    texts = [line for line in go(io.StringIO(), monkeypatch).splitlines() if "running" in line]
    steps = [int(text.partition(" step ")[2].partition(" ")[0]) for text in texts]
    assert steps[:4] == [5, 15, 35, 75], "after 5 s, then 10, 20, 40 s later"


def test_modes(monkeypatch):
    assert go(Terminal(), monkeypatch, "off") == ""
    assert "\r" not in go(Terminal(), monkeypatch, "plain")
    assert "\r" in go(io.StringIO(), monkeypatch, "bar")


def test_a_file_gets_a_line_for_all_running_cells_each_minute(monkeypatch):
    monkeypatch.setattr(progress, "FIRST_PLAIN_LINE_S", 60.0)
    clock = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    stream = io.StringIO()
    shown = Progress(6, stream)
    for step in range(300, 500):  # the cells continue from checkpoints
        clock[0] += 1
        for name in "abcdef":
            shown.step(name, step, 1000)
    first, *_, last = stream.getvalue().splitlines()
    running = "6 running: a step 359 of 1000, b step 358 of 1000 and 4 more"
    assert first == f"0/6 cells | {running} | 5.82 steps/s | 11 min left"
    assert " | 6 steps/s | " in last
    assert len(stream.getvalue().splitlines()) == 3


def test_a_terminal_gets_one_line_that_is_rewritten(monkeypatch):
    text = go(Terminal(), monkeypatch)
    assert "\rfirst | step 50/100 | fd 57.2 | 1/4 cells | 4 min left" in text
    assert "\rsecond | step 50/100 | 2/4 cells, 1 diverged | 4 min left" in text
    assert text.count("\n") == 2


def test_no_time_is_given_while_the_last_cells_are_evaluated(monkeypatch):
    """Members of a pack end their last step together, and are then evaluated one after another."""
    clock, terminal = [0.0], Terminal()
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    shown = Progress(3, terminal)

    def line(name, step):
        terminal.truncate(0)
        shown.step(name, step, 1000)
        return terminal.getvalue().strip()

    for step in range(1, 1000):
        clock[0] += 10
        texts = [line(name, step) for name in "ab"]
        assert texts[0].endswith("left") == (step > 1)
    clock[0] += 100
    assert line("a", 1000).endswith("left"), "c has not begun"
    shown.skip(State.COMPLETED)
    assert line("a", 1000).endswith("| evaluating"), "b is not evaluated yet"


def test_no_line_gives_zero_seconds(monkeypatch):
    clock, terminal = [0.0], Terminal()
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    shown = Progress(2, terminal)
    for step in range(1, 1001):
        clock[0] += 0.3
        for name in "ab":
            shown.step(name, step, 1000)
    assert "1 s left" in terminal.getvalue()
    assert "evaluating" in terminal.getvalue()
    assert "| 0 s left" not in terminal.getvalue()


def test_lines_of_a_fast_cell_are_limited(monkeypatch):
    monkeypatch.setattr(progress.time, "monotonic", lambda: 0.0)
    terminal = Terminal()
    shown = Progress(1, terminal)
    for step in range(1, 1000):
        shown.step("first", step, 1000)
    assert terminal.getvalue() == ""


def test_a_cell_that_finishes_twice_is_counted_once():
    """If no record can be written, every worker trains the cell and fails."""
    stream = io.StringIO()
    shown = Progress(2, stream)
    for name, state in (("a", State.FAILED), ("a", State.FAILED), ("b", State.COMPLETED), ("a", State.COMPLETED)):
        shown.finish(name, state)
    counted = [line.split(" | ")[1] for line in stream.getvalue().splitlines()]
    assert counted == ["1/2 cells, 1 failed", "1/2 cells, 1 failed", "2/2 cells, 1 failed", "2/2 cells"]


def test_singular_and_plural():
    stream = io.StringIO()
    Progress(1, stream).finish("a", State.COMPLETED)
    assert stream.getvalue() == "a: completed | 1/1 cell\n"


def test_lines_fit_the_terminal_and_end_a_name_between_settings(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(progress.time, "monotonic", iter(range(10**6)).__next__)
    name = "optimizer=adam,lr=0.001,loss=wgan_gp,seed=0-3fedee5b"
    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        shown = Progress(4, stream)
        shown.step(name, 50, 100, "fd_digits 57.2")
        shown.finish(name, State.COMPLETED, "fd_digits 57.2")
    lines = [line.strip() for line in terminal.getvalue().replace("\r", "\n").split("\n") if line.strip()]
    assert len(lines) == 2
    assert all(len(line) < 60 for line in lines)
    assert lines[0] == "optimizer=adam,…-3fedee5b | step 50/100 | fd_digits 57.2"
    assert lines[1] == "optimizer=adam,…-3fedee5b: completed fd_digits 57.2"
    assert f"{name}: completed fd_digits 57.2 | 1/4 cells" in file.getvalue()
