"""The benchmark that counts a generator step without a GPU."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.rehearsal
SCRIPT = Path(__file__).parents[2] / "scripts" / "bench" / "count_step.py"


def test_counts_of_both_loops():
    line = [sys.executable, str(SCRIPT), "--case", "toy", "--members", "3", "--optimizers", "adam", "--steps", "2"]
    finished = subprocess.run(line, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    table = finished.stdout.partition("# ")[0]
    rows = re.findall(r"^\| (\d) \| ([\w, ]+) \| ([\d,]+) \| [\d,]+ \| ([\d.]+) ", table, re.M)
    assert [row[:2] for row in rows] == [("3", "gansweep"), ("3", "gansweep, compiled"), ("3", "textbook")]
    ours, compiled, theirs = (int(row[2].replace(",", "")) for row in rows)
    assert 0 < compiled < ours < theirs
    flop = [float(row[3]) for row in rows]
    assert 0 < flop[0] == flop[1] < flop[2], "the compiled products are the same"
