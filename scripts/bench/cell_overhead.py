"""Benchmark of the overhead per cell of a multirun: composition, directory, record, TensorBoard, checkpoint.

    python scripts/bench/cell_overhead.py --write      # into docs/records/cell_overhead.md

The smallest networks train one step. Two command lines are timed, one with 2 cells and one with 100 more; the
difference divided by 100 is the overhead per cell.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from report import report

TRIVIAL = [
    "model.latent_dim=4",
    "model.generator_widths=[8]",
    "model.discriminator_widths=[8]",
    "batch_size=8",
    "steps=1",
    "device=cpu",
    "data=ring",
    "~metric",
]
WAYS = {"one process, one by one": ["workers=1", "pack=1"], "default": []}


def seconds(cells: int, how: list[str]) -> float:
    """Return the wall time of a multirun with a number of cells, from the start of Python to the table."""
    line = [sys.executable, "-m", "gansweep", "-m", f"seed=range({cells})", *TRIVIAL, *how, "hydra.sweep.dir=sweep"]
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        subprocess.run(line, cwd=folder, env=env, check=True, capture_output=True)
        return time.perf_counter() - start


def main() -> None:
    """Measure, print the table, and write the record with --write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cells", type=int, default=100)
    parser.add_argument("--write", action="store_true", help="also write docs/records/")
    arguments = parser.parse_args()
    lines = ["| how | s per cell | start, s |", "|---|---|---|"]
    for name, how in WAYS.items():
        times = [(seconds(2, how), seconds(2 + arguments.cells, how)) for _ in range(arguments.rounds)]
        each = statistics.median((long - short) / arguments.cells for short, long in times)
        start = statistics.median(short for short, _ in times) - 2 * each
        lines.append(f"| {name} | {each:.3f} | {start:.1f} |")
        print(lines[-1], flush=True)
    how_made = f"{arguments.cells} additional cells, median of {arguments.rounds} rounds."
    report("cell_overhead", "Overhead per cell", lines, how_made, write=arguments.write)


if __name__ == "__main__":
    main()
