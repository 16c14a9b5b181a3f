"""Markdown on a terminal. Mistakes: a line wider than the terminal, a lost field, a command broken into lines."""

from __future__ import annotations

import re
import sys

import pytest

from gansweep.formatting import markdown, shortened
from gansweep.terminal_layout import fitted, for_terminal

NAMES = ["rank", "optimizer", "lr", "mean W1", "95 % interval", "untrained", "values", "N/A", "P(first)", "verdict"]
ROWS = [
    ["1", "rmsprop", "0.01", "0.519", "0.458 to 0.580", "1.97", "3", "0", "-", "**first**"],
    ["2", "adam", "0.001", "0.979", "0.872 to 1.085", "1.97", "3", "0", "-", "undecided: needs about 5 more seeds"],
]
COMMAND = "Command: `python -m gansweep -m data=ring model=mlp_2d metric=wasserstein1 metric.num_samples=512 loss=r1`"
PROSE = "Final W1 after 300 steps, lower is better; 512 generated against 512 real samples; untrained generator 1.95."
TEXT = f"{markdown(NAMES, ROWS)}\n\n{PROSE}\n\n{COMMAND}\n"


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120])
def test_no_line_is_wider_than_the_terminal_and_nothing_is_lost(width):
    text = fitted(TEXT, width)
    lines = text.split("\n")
    assert all(len(line) <= width for line in lines if line != COMMAND)
    assert COMMAND in lines, "a command is copied in one piece"
    words = sorted(re.findall(r"[^\s|]+", TEXT.replace("-", "")))
    shown = re.findall(r"[^\s|]+", text.replace("-", ""))
    assert set(words) == set(shown)
    for line in lines:
        if line.startswith("|"):
            assert line.endswith(" |")
    assert " ".join(PROSE.split()) in " ".join(text.split())


def test_a_table_that_fits_is_unchanged():
    assert fitted(TEXT, 200) == TEXT
    assert fitted("| a | b |\n| --- | --- |\n| 1 | 2 |", 40) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_a_mean_keeps_its_deviation():
    table = markdown(
        ["optimizer", *(f"lr={rate}" for rate in (1, 2, 3, 4))], [["adam", *["0.979 ± 0.043 (3) [1]"] * 4]]
    )
    lines = fitted(table, 60).split("\n")
    assert sum(line.count("0.979 ± 0.043") for line in lines) == 4
    assert max(map(len, lines)) <= 60


def test_every_part_of_a_table_has_the_columns_that_distinguish_its_rows():
    rows = [["-", "adam", *["0.12345678"] * 6], ["-", "sgd", *["0.12345678"] * 6]]
    lines = fitted(markdown(["rank", "optimizer", *(f"lr={n}" for n in range(6))], rows), 50).split("\n")
    parts = [line for line in lines if "adam" in line]
    assert len(parts) > 1
    assert sum("optimizer" in line for line in lines) == len(parts) == sum("sgd" in line for line in lines)


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_pipe_gets_markdown_unchanged(monkeypatch, is_terminal):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal, raising=False)
    assert (for_terminal(TEXT) == TEXT) is not is_terminal


@pytest.mark.parametrize("width", range(12, 60))
def test_a_shortened_name_has_whole_settings_and_its_hash(width):
    name = "optimizer=adam,lr=0.001,loss=wgan_gp,seed=0-3fedee5b"
    short = shortened(name, width)
    assert len(short) <= width
    if width >= 25:
        assert short.endswith("-3fedee5b")
        settings = short.removesuffix("-3fedee5b").rstrip("…").rstrip(",").split(",")
        assert settings == name.removesuffix("-3fedee5b").split(",")[: len(settings)]
