"""Speed-up of a whole grid over a plain PyTorch loop that trains the same cells one after another, and over JAX.

    python scripts/bench/fused.py --write              # all grids for a CPU, into docs/records/fused.md
    python scripts/bench/fused.py --device cuda --write
    python scripts/bench/fused.py --grid toy --steps 20 --rounds 1
    python scripts/bench/fused.py --jax ~/jax/bin/python --write    # a Python that has jax; default: this one

"Ours" is the command line, timed from the start of Python to the table, on all cores. The plain loop ("textbook") runs
in one process with one thread or torch's default number, whichever is faster. Both train the same numbers of generator
steps, once `steps` and once three times as many. The difference gives the time per step, the remainder the start-up
time, and both together the time of a grid of length `--whole`. The first run of ours is not timed; it fills the disk
cache of torch.compile. Rates are so small that nothing diverges, because the plain loop would continue after a
divergence. Rounds of both alternate; the ratios are medians over the rounds.

The second peer is jax_loop.py on a CPU, in a process of its own with all cores: the same networks, all members in one
batch (at most `together`), Adam for all. It is left out with a line if jax is not installed, and for convolutions.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from textbook import CASES, textbook

from gansweep.models.dcgan import DCGAN
from report import cores, report

HERE = Path(__file__).parent
JAX = ("step_ms", "first_s")
RULES = {"sgd": "SGD", "rmsprop": "RMSprop", "adam": "Adam"}


@dataclass(frozen=True)
class Grid:
    """Cells of one case: optimizers, rates, seeds, a typical length in generator steps, and members of JAX's batch."""

    case: str
    optimizers: tuple[str, ...] = ("sgd", "rmsprop", "adam")
    num_rates: int = 1
    num_seeds: int = 1
    steps: int = 20
    whole: int = 10_000
    together: int = 64

    @property
    def cells(self) -> list[tuple[str, float]]:
        """Optimizer and rate of every cell."""
        rates = [1e-7 * (n + 1) for n in range(self.num_rates)]
        return [(rule, rate) for rule in self.optimizers for rate in rates] * self.num_seeds

    @property
    def overrides(self) -> list[str]:
        """The same cells as command-line overrides."""
        rates = ",".join(f"{n + 1}e-7" for n in range(self.num_rates))
        return [
            f"optimizer={','.join(self.optimizers)}",
            f"lr={rates}",
            f"seed={','.join(str(n) for n in range(self.num_seeds))}",
        ]


GRIDS = {
    "epfl": Grid("epfl", num_rates=7, steps=10, whole=140_700, together=4),
    "toy": Grid("toy", ("adam",), num_seeds=64, steps=100),
    "digits": Grid("digits", num_seeds=8, steps=50),
    "dcgan": Grid("dcgan", ("adam",), steps=20),
}
GPU_GRIDS = {
    "epfl": Grid("epfl", num_rates=7, num_seeds=10, steps=50, whole=140_700),
    "dcgan": Grid("dcgan", ("adam",), num_seeds=16, steps=100),
}


def ours(grid: Grid, steps: int, device: str, extra: list[str]) -> float:
    """Return the wall time of the command line in seconds, from its start to its table."""
    case = CASES[grid.case]
    line = [sys.executable, "-m", "gansweep", "--config-dir", str(HERE / "conf"), "-m", *grid.overrides]
    line += ["data=synthetic", f"data.shape={list(case.shape)}", "allow=[synthetic]", "~metric", "loss=wgan_gp"]
    line += [f"critic_steps={case.critic_steps}", f"batch_size={case.batch}", f"steps={steps}", f"device={device}"]
    if isinstance(case.model, DCGAN):
        line += ["model=dcgan", f"model.base_width={case.model.base_width}"]
    else:
        line += [
            f"model.{key}={list(value) if isinstance(value, tuple) else value}"
            for key in ("generator_widths", "discriminator_widths", "dropout")
            for value in (getattr(case.model, key),)
        ]
    line += [f"model.latent_dim={case.model.latent_dim}", *extra]
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parents[1] / "src")])}
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        done = subprocess.run([*line, "hydra.sweep.dir=sweep"], cwd=folder, env=env, capture_output=True, text=True)
        seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(done.stderr)
    return seconds


def theirs(grid: Grid, steps: int, device: str, sample: int | None = None) -> float:
    """Return the wall time of the plain loop over the cells in seconds, or that of `sample` cells scaled to all."""
    cells = grid.cells if sample is None else grid.cells[:: max(1, len(grid.cells) // sample)]
    start = time.perf_counter()
    for rule, rate in cells:
        step = textbook(CASES[grid.case], RULES[rule], rate, device)
        for _ in range(steps):
            step()
    if device != "cpu":
        torch.cuda.synchronize()
    return (time.perf_counter() - start) * len(grid.cells) / len(cells)


def jax_loop(grid: Grid, python: str) -> dict[str, float] | None:
    """Return `step_ms` and `first_s` of jax_loop.py for the grid; None for networks that it does not have."""
    case = CASES[grid.case]
    if isinstance(case.model, DCGAN):
        return None
    widths = {"generator": case.model.generator_widths, "discriminator": case.model.discriminator_widths}
    sizes = {"sample": torch.Size(case.shape).numel(), "latent": case.model.latent_dim, "batch": case.batch}
    others = {"dropout": case.model.dropout, "tanh": len(case.shape) == 3, "critic_steps": case.critic_steps}
    members = min(len(grid.cells), grid.together)
    given = {"case": widths | sizes | others, "members": members, "steps": grid.steps}
    line = [python, str(HERE / "jax_loop.py"), json.dumps(given)]
    done = subprocess.run(line, capture_output=True, text=True, env=os.environ | {"JAX_PLATFORMS": "cpu"})
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def has_jax(python: str) -> bool:
    """Return whether a Python has jax."""
    return subprocess.run([python, "-c", "import jax"], capture_output=True).returncode == 0


def fastest_threads(grid: Grid, device: str) -> int:
    """Set and return the number of threads with which the plain loop is fastest."""
    times = {}
    for count in sorted({1, cores()}):
        torch.set_num_threads(count)
        single = Grid(grid.case, ("adam",))
        theirs(single, 2, device)
        times[count] = theirs(single, max(3, grid.steps // 4), device)
    best = min(times, key=lambda count: times[count])
    torch.set_num_threads(best)
    return best


def measure(
    grid: Grid, rounds: int, device: str, extra: list[str], sample: int | None, python: str | None = None
) -> str:
    """Return a row of the table; `python` has jax."""
    threads = fastest_threads(grid, device)
    short, long = grid.steps, 3 * grid.steps
    ratios, wholes, per_step, starts, peers = [], [], [], [], []
    ours(grid, 5, device, extra)  # fills the compilation cache on disk
    for _ in range(rounds):
        their_times, our_times = zip(
            *((theirs(grid, n, device, sample), ours(grid, n, device, extra)) for n in (short, long)), strict=True
        )
        step_s = [(times[1] - times[0]) / (long - short) for times in (their_times, our_times)]
        fixed = [
            max(times[0] - each * short, 0.0) for times, each in zip((their_times, our_times), step_s, strict=True)
        ]
        whole = [start + each * grid.whole for start, each in zip(fixed, step_s, strict=True)]
        ratios.append(their_times[1] / our_times[1])
        wholes.append(whole[0] / whole[1])
        per_step.append(step_s[1])
        starts.append(fixed[1])
        peers.append(jax_loop(grid, python) if python else None)
    cells = len(grid.cells)
    step_ms, start_s = 1e3 * statistics.median(per_step) / cells, statistics.median(starts)
    measured = [peer for peer in peers if peer is not None]
    jax = [f"{statistics.median(peer[name] for peer in measured):.2f}" if measured else "" for name in JAX]
    return (
        f"| {grid.case} | {cells} | {threads} | {long} | {statistics.median(ratios):.2f} | {grid.whole} | "
        f"**{statistics.median(wholes):.2f}** | {step_ms:.2f} | {start_s:.1f} | {' | '.join(jax)} |"
    )


def main() -> None:
    """Measure, print the table, and write the record with --write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grid", choices=list(GRIDS), help="measure only this grid")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, help="steps of the short run; the long run has three times as many")
    parser.add_argument("--whole", type=int, help="length to extrapolate to")
    parser.add_argument("--seeds", type=int, help="number of seeds, instead of the grid's")
    parser.add_argument(
        "--sample", type=int, help="number of cells that the plain loop trains; its time is scaled to all"
    )
    parser.add_argument("--name", help="name of the record")
    parser.add_argument("--extra", nargs="*", default=[], help="further settings of ours, e.g. trainer.compile=true")
    parser.add_argument("--jax", default=sys.executable, metavar="PYTHON", help="a Python that has jax")
    parser.add_argument("--write", action="store_true", help="also write docs/records/")
    arguments = parser.parse_args()
    python = arguments.jax if arguments.device == "cpu" and has_jax(arguments.jax) else None
    if python is None:
        print(f"JAX is left out: {arguments.jax} has no jax, or the device is not a CPU")
    grids = GRIDS if arguments.device == "cpu" else GPU_GRIDS
    lines = [
        "| networks | cells | textbook's threads | steps | speed-up, measured "
        "| steps of a whole run | speed-up, whole | ours: ms per cell and step | ours: start, s "
        "| JAX: ms per cell and step | JAX: first call, s |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name in [arguments.grid] if arguments.grid else list(grids):
        given = {"steps": arguments.steps, "whole": arguments.whole, "num_seeds": arguments.seeds}
        grid = Grid(**(vars(grids[name]) | {key: value for key, value in given.items() if value}))
        lines.append(measure(grid, arguments.rounds, arguments.device, arguments.extra, arguments.sample, python))
        print(lines[-1], flush=True)
    how = f"WGAN-GP on synthetic samples, median of {arguments.rounds} alternating rounds."
    if arguments.sample:
        how += f" The textbook's time is measured for about {arguments.sample} cells and scaled to all."
    name = arguments.name or ("fused" if arguments.device == "cpu" else "fused_cuda")
    report(
        name,
        "A grid compared with its cells trained one after another",
        lines,
        how,
        device=arguments.device,
        write=arguments.write,
    )


if __name__ == "__main__":
    main()
