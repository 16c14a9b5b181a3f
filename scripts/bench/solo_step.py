"""Speed of one member compared with a plain PyTorch loop.

    python scripts/bench/solo_step.py                    # the table, and docs/records/solo_step.md with --write

Variants: `Pack` with one member, eager and compiled, and the loop of textbook.py with Adam. All train WGAN-GP on
synthetic samples. Rounds of all variants alternate in one process, so only the ratios are meaningful. Memory is the
peak of a separate process for each variant.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from textbook import CASES, Case, textbook

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.member import Member, PlayerSettings
from gansweep.batched.pack import PackSettings
from gansweep.device import hold_memory
from gansweep.losses.objective import Objective
from gansweep.losses.wasserstein import Wasserstein
from gansweep.optimizers.adam import Adam
from gansweep.penalties.wgan_gp import WGANGP
from gansweep.schedules.constant import Constant
from report import report


def ours(case: Case, compiled: bool) -> Callable[[], None]:
    """Return a function that does one generator step with all its critic steps by a `Pack` with one member."""
    player = PlayerSettings(Adam(), 1e-4, Constant())
    member = Member(0, Objective(Wasserstein(), {"gp": WGANGP(weight=10.0)}), player, player, steps=10**6)
    pack = AdversarialPack(
        [member],
        case.model,
        case.samples(),
        PackSettings(batch_size=case.batch),
        critic_steps=case.critic_steps,
        compiled=compiled,
    )
    steps = pack.steps()

    def step() -> None:
        next(steps)

    return step


VARIANTS = {
    "textbook": textbook,
    "eager": lambda case: ours(case, compiled=False),
    "compiled": lambda case: ours(case, compiled=True),
}


def ratios(case: Case, rounds: int, iterations: int) -> dict[str, float]:
    """Return the time of the plain loop divided by that of each variant, the median over the rounds."""
    steps = {name: make(case) for name, make in VARIANTS.items()}
    for step in steps.values():
        for _ in range(3):
            step()
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            start = time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()
            for _ in range(iterations):
                step()
            end = time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()
            times[name].append(end - start)
    return {
        name: statistics.median(a / b for a, b in zip(times["textbook"], times[name], strict=True)) for name in steps
    }


def peak_memory(case: str, variant: str, threads: int) -> float:
    """Return the peak resident memory in MB of a process that runs ten steps of a variant."""
    arguments = ["--case", case, "--only", variant, "--threads", str(threads)]
    output = subprocess.run([sys.executable, __file__, *arguments], capture_output=True, text=True, check=True).stdout
    return float(output.split()[-1])


def only(case: Case, variant: str) -> None:
    """Run ten steps and print the peak resident memory."""
    step = VARIANTS[variant](case)
    for _ in range(10):
        step()
    status = Path("/proc/self/status").read_text()
    print(int(status.split("VmHWM:")[1].split()[0]) / 1024)


def main() -> None:
    """Measure, print the table, and write the record with --write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", choices=list(CASES), help="measure only this case")
    parser.add_argument("--only", choices=list(VARIANTS), help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--iterations", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="also write docs/records/solo_step.md")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    hold_memory()
    if arguments.only:
        only(CASES[arguments.case], arguments.only)
        return
    lines = ["| networks | variant | speed-up over the textbook loop | peak memory, MB |", "|---|---|---|---|"]
    for name in [arguments.case] if arguments.case else list(CASES):
        for variant, ratio in ratios(CASES[name], arguments.rounds, arguments.iterations).items():
            memory = peak_memory(name, variant, arguments.threads)
            lines.append(f"| {name} | {variant} | {ratio:.2f} | {memory:.0f} |")
            print(lines[-1], flush=True)
    how = (
        f"{arguments.threads} thread(s), WGAN-GP, median of {arguments.rounds} alternating rounds of "
        f"{arguments.iterations} generator steps."
    )
    report("solo_step", "One member's step compared with the textbook loop", lines, how, write=arguments.write)


if __name__ == "__main__":
    main()
