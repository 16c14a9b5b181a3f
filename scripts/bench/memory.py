"""Memory per additional member, compared with the size of its tensors.

    python scripts/bench/memory.py --write             # into docs/records/memory.md

Needed: parameters x (1 + gradient + Adam's two moments) of both players, the samples, latents and masks of a
discriminator step, and the tensors that autograd saves for its backward pass. Taken: the difference of the peak memory
of packs with 2 members and with more, each in a separate process, divided by the number of additional members. For
small networks many members are added, because a peak is accurate to a few megabytes only. Held: the same difference
of the peak size of live tensors, counted at every operation. Memory taken beyond that is held by the CPU allocator,
which keeps freed blocks for the next step and can't always reuse them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import replace

import torch
from held import Held
from textbook import CASES, Case

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.member import Member, PlayerSettings
from gansweep.batched.pack import PackSettings
from gansweep.device import hold_memory, peak_memory_bytes
from gansweep.losses.objective import Objective
from gansweep.losses.wasserstein import Wasserstein
from gansweep.optimizers.adam import Adam
from gansweep.penalties.wgan_gp import WGANGP
from gansweep.schedules.constant import Constant
from report import report


def pack(case: Case, num_members: int, device: str) -> AdversarialPack:
    """Return a pack of WGAN-GP members with Adam."""
    player = PlayerSettings(Adam(), 1e-4, Constant())
    member = Member(0, Objective(Wasserstein(), {"gp": WGANGP(weight=10.0)}), player, player, steps=5)
    members = [replace(member, seed=seed) for seed in range(num_members)]
    return AdversarialPack(
        members, case.model, case.samples().to(device), PackSettings(batch_size=case.batch), critic_steps=1
    )


def needed(case: Case) -> float:
    """Return the size of one member's tensors in bytes."""
    one = pack(case, 1, "cpu")
    parameters = one.g.network.num_parameters + one.d.network.num_parameters
    given = one.random.for_discriminator()
    inputs = [given.real, given.z, *given.generator_masks, *given.masks, *(given.penalties[0].masks)]
    kept = {tensor.data_ptr(): tensor.nbytes for tensor in inputs}

    parameters_at = {theta.untyped_storage().data_ptr() for theta in one.d.chunks}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters_at:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        one._discriminator_step(given)
    return 4 * 4 * parameters + sum(kept.values())


def taken(case: str, num_members: int, device: str) -> float:
    """Return the peak memory in bytes of a process that trains a number of members for a few steps."""
    line = [sys.executable, __file__, "--case", case, "--only", str(num_members), "--device", device]
    return float(subprocess.run(line, capture_output=True, text=True, check=True).stdout.split()[-1])


def held(case: Case, num_members: int) -> int:
    """Return the peak size of live tensors in bytes while a number of members train."""
    with Held() as counted:
        for _ in pack(case, num_members, "cpu").steps():
            pass
    return counted.most


def main() -> None:
    """Measure, print the table, and write the record with --write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", choices=list(CASES), help="measure only this case")
    parser.add_argument("--only", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--megabytes", type=float, default=400, help="total size of the additional members")
    parser.add_argument("--write", action="store_true", help="also write docs/records/")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    hold_memory()
    if arguments.only:
        for _ in pack(CASES[arguments.case], arguments.only, arguments.device).steps():
            pass
        print(peak_memory_bytes(torch.device(arguments.device)))
        return
    head = ["networks", "additional members", "needed, MB each", "held, MB each", "ratio", "taken, MB each", "ratio"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name in [arguments.case] if arguments.case else list(CASES):
        need = needed(CASES[name])
        more = max(1, round(arguments.megabytes * 2**20 / need))
        peaks = [taken(name, count, arguments.device) for count in (2, 2 + more)]
        each = (peaks[1] - peaks[0]) / more
        inside = (held(CASES[name], 6) - held(CASES[name], 2)) / 4
        numbers = [f"{inside / 2**20:.1f} | {inside / need:.2f}", f"{each / 2**20:.1f} | {each / need:.2f}"]
        lines.append(f"| {name} | {more} | {need / 2**20:.1f} | {' | '.join(numbers)} |")
        print(lines[-1], flush=True)
    how = "WGAN-GP, Adam; held is counted on a CPU; taken: resident memory of a CPU, allocated memory of a GPU."
    name = "memory" if arguments.device == "cpu" else "memory_cuda"
    report(name, "Memory per additional member", lines, how, device=arguments.device, write=arguments.write)


if __name__ == "__main__":
    main()
