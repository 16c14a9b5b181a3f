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
    line = [sys.executable, str(SCRIPT), "--case", "toy", "--members", "1,3", "--optimizers", "adam", "--steps", "2"]
    finished = subprocess.run(line, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    rows = re.findall(r"^\| (\d) \| (\w+) \| ([\d,]+) \| [\d,]+ \| ([\d.]+) ", finished.stdout.partition("# ")[0], re.M)
    assert [row[:2] for row in rows] == [("1", "gansweep"), ("1", "textbook"), ("3", "gansweep"), ("3", "textbook")]
    ours, theirs, ours_3, theirs_3 = (int(row[2].replace(",", "")) for row in rows)
    assert theirs_3 == pytest.approx(3 * theirs, abs=3)
    assert 0 < ours_3 < 3 * ours, "the kernels of a pack are shared"
    flop = [float(row[3]) for row in rows]
    assert flop[2] == pytest.approx(3 * flop[0], abs=0.2)
