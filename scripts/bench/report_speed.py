"""Benchmark of the report: wall and CPU time of python -m gansweep.report on large sweeps.

    python scripts/bench/report_speed.py --write      # into docs/records/report_speed.md

One cell of a small sweep is trained. Its record, event files and samples are copied for every run of a synthetic
grid, with other settings and random values: one sweep of 1,000 configurations, and ten sweeps of 100 configurations,
one per data set, each with 10 seeds.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np

from gansweep.sweep.identity import cell_name, digest
from gansweep.training import record
from report import report

SOURCE = str(Path(__file__).parents[2] / "src")
ENVIRONMENT = os.environ | {"PYTHONPATH": SOURCE, "OMP_NUM_THREADS": "1"}
SMALL = ["model.latent_dim=4", "model.generator_widths=[8]", "model.discriminator_widths=[8]", "batch_size=8"]
SEEDS, EVALUATIONS, STEPS = 10, 20, 1000
OPTIMIZERS = ("adam", "sgd", "rmsprop", "nadam", "adamw", "lion", "adabelief", "radam", "adan", "muon")
RATES = tuple(float(f"{rate:.1e}") for rate in np.geomspace(1e-5, 1e-1, 10))


def template(folder: Path) -> Path:
    """Train one cell with a few steps and return its directory."""
    line = [sys.executable, "-m", "gansweep", "-m", "optimizer=adam", "lr=1e-3", "seed=0", "steps=2", *SMALL]
    line += ["workers=1", "pack=1", "device=cpu", "name=template"]
    subprocess.run(line, cwd=folder, env=ENVIRONMENT, check=True, capture_output=True)
    (found,) = (folder / "outputs/template").glob("*/record.json")
    return found.parent


def write_sweep(root: Path, cell: Path, grid: dict[str, list[Any]], data: str = "digits") -> None:
    """Write a finished sweep: sweep.json, and a directory with a record for every combination and seed."""
    rng, original = np.random.default_rng(0), json.loads((cell / record.NAME).read_text())
    original.pop(record.CHECKSUMS)
    cells = []
    for *settings, seed in itertools.product(*grid.values(), range(SEEDS)):
        overrides = dict(zip(grid, settings, strict=True)) | {"data": data, "seed": seed}
        content = _record(original, overrides, rng)
        cells.append({**content["cell"], "identity": content["identity"], "config": content["config"]})
        directory = root / content["cell"]["name"]
        (directory / "samples").mkdir(parents=True)
        record.write(directory, content)
        for file in (*cell.glob("events.out.*"), *cell.glob("samples/*")):
            os.link(file, directory / file.relative_to(cell))
    content = {"format": 1, "commands": ["python -m gansweep -m ..."], "versions": record.versions(), "cells": cells}
    (root / "sweep.json").write_text(json.dumps(content, indent=1))


def _record(original: dict[str, Any], overrides: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Return the record of one run; its values depend on the optimizer and on the rate, and one in 50 diverged."""
    content = deepcopy(original)
    for config in (content["config"], content["identity"]["config"]):
        config |= {key: overrides[key] for key in ("lr", "seed", "batch_size") if key in overrides}
        config |= {"lr_d": overrides["lr"], "steps": STEPS}
        config["optimizer"]["beta1"] = 0.9 - 0.01 * OPTIMIZERS.index(overrides["optimizer"])
    content["identity"]["data"] = f"hash of {overrides['data']}"
    hash_ = digest(content["identity"])
    content["cell"] = {"name": cell_name(overrides, hash_), "hash": hash_, "overrides": overrides}
    level = 50 + 10 * abs(np.log10(overrides["lr"]) + 3) + 2 * OPTIMIZERS.index(overrides["optimizer"])
    steps = np.linspace(0, STEPS, EVALUATIONS + 1, dtype=int).tolist()
    values = (level * (1 + 5 * np.exp(-np.arange(len(steps)))) * rng.lognormal(0, 0.1, len(steps))).tolist()
    evaluations = [{"step": s, "value": v, "apart": 1.01 * v} for s, v in zip(steps, values, strict=True)]
    content["metric"] |= {"evaluations": evaluations, **record.summary(evaluations)}
    content["steps"] = STEPS
    content["time"]["evaluations"] = [{"step": step, "trained_s": step / 50} for step in steps]
    if rng.random() < 0.02:
        content["state"], content["metric"]["final"], content["metric"]["final_step"] = "diverged", None, None
        content["divergence"] = {"step": 400, "player": "discriminator", "cause": "loss is nan"}
    return content


def seconds(sweeps: list[Path], form: str, folder: Path) -> tuple[float, float]:
    """Return the wall time and the CPU time of one report, which is written to a folder."""
    line = [sys.executable, "-m", "gansweep.report", *map(str, sweeps), "--format", form]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([*line, "--out", str(folder / f"out.{form}")], env=ENVIRONMENT, check=True, capture_output=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure, print the table, and write the record with --write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, help="write the sweeps to this folder and keep them, or use those there")
    parser.add_argument("--write", action="store_true", help="also write docs/records/")
    arguments = parser.parse_args()
    load = os.getloadavg()[2]
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        one, many = folder / "one", [folder / f"sweep{n}" for n in range(10)]
        if not one.exists():
            folder.mkdir(exist_ok=True)
            cell, grid = template(folder), {"optimizer": [*OPTIMIZERS], "lr": [*RATES]}
            write_sweep(one, cell, grid | {"batch_size": [8 * n for n in range(1, 11)]})
            for n, sweep in enumerate(many):
                write_sweep(sweep, cell, grid, f"data{n}")
        lines = ["| sweeps | format | wall, s | CPU, s |", "|---|---|---|---|"]
        for name, sweeps in {"1 of 1,000 configurations": [one], "10 of 100 configurations": many}.items():
            for form in ("md", "html"):
                wall, cpu = seconds(sweeps, form, Path(temporary))
                lines.append(f"| {name} | {form} | {wall:.1f} | {cpu:.1f} |")
                print(lines[-1], flush=True)
    how = f"{SEEDS} seeds and {EVALUATIONS + 1} evaluations per run, so 10,000 runs; one report each. CPU: of all "
    how += f"processes. Load of the machine by other processes, mean of 15 minutes: {load:.1f}."
    report("report_speed", "Speed of the report", lines, how, write=arguments.write)


if __name__ == "__main__":
    main()
