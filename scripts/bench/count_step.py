"""Kernels, FLOP and bytes of one generator step on CUDA, counted without a GPU and without a clock.

    python scripts/bench/count_step.py --write         # into docs/records/count_step.md
    python scripts/bench/count_step.py --case digits --members 1,24 --optimizers adam

Ours is one pack of K members, whose optimizers alternate, with trainer.compile=false and true; the plain loop of
textbook.py trains the same members one after another. Graphs of torch.compile are counted in the code that it writes
for CUDA (generated_code.py): those of trainer.compile, and the updates of both, which are always compiled on CUDA.
Both train WGAN-GP with all critic steps, on tensors without memory of the pretended device of
tests/rehearsal, which describes how it counts. Draws are the operations that generate random numbers; ours are the
calls of the Triton kernel for random words, without the operations that transform them. An epoch has more operations
where its permutation is drawn, so that the counts are means over `--steps` steps.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from textbook import CASES, Case, textbook

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.algorithms.adversarial.graphs import OPTIONS
from gansweep.batched import philox, player
from gansweep.batched.fused_update import OPTIONS as UPDATE_OPTIONS
from gansweep.batched.fused_update import Outputs, Part, update_part
from gansweep.batched.group import Group
from gansweep.batched.member import Member, PlayerSettings
from gansweep.batched.pack import PackSettings
from gansweep.batched.player import Player
from gansweep.interfaces import UpdateRule
from gansweep.losses.objective import Objective
from gansweep.losses.wasserstein import Wasserstein
from gansweep.optimizers.adam import Adam
from gansweep.optimizers.rmsprop import RMSprop
from gansweep.optimizers.sgd import SGD
from gansweep.penalties.wgan_gp import WGANGP
from gansweep.schedules.constant import Constant
from report import report

sys.path.append(str(Path(__file__).parents[2]))
from generated_code import Generated, fake_tensors, generated
from tests.rehearsal.installation import install
from tests.rehearsal.operations import KERNELS
from tests.rehearsal.pretended import NAME, SUPPORTED, PretendedDevice

RULES = {"adam": Adam(), "sgd": SGD(), "rmsprop": RMSprop()}
OF_TORCH = {"adam": "Adam", "sgd": "SGD", "rmsprop": "RMSprop"}
NUM_SAMPLES = 60_000
WORDS = "philox"
WARM_STEPS = 1
HEAD = ["K", "loop", "kernels", "of them draws", "GFLOP", "GB moved", "uploads", "host waits"]


@dataclass(frozen=True)
class Counts:
    """Counts of one generator step."""

    kernels: float
    draws: float
    flop: float
    traffic_bytes: float
    uploads: float
    waits: float

    def __mul__(self, factor: float) -> Counts:
        return Counts(*(factor * value for value in vars(self).values()))

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    def row(self, members: int, name: str) -> str:
        """Return the counts as a row of the table."""
        numbers = [f"{self.kernels:,.0f}", f"{self.draws:,.0f}"]
        numbers += [f"{self.flop / 1e9:,.1f}", f"{self.traffic_bytes / 1e9:,.2f}"]
        numbers += [f"{self.uploads:,.0f}", f"{self.waits:,.0f}"]
        return f"| {members} | {name} | {' | '.join(numbers)} |"


def count(device: PretendedDevice, step: Callable[[], object], steps: int) -> Counts:
    """Return the mean counts of a step."""
    for _ in range(WARM_STEPS):
        step()
    device.reset()
    for _ in range(steps):
        step()
    draws = sum(KERNELS.get(name, 1) * number for name, number in device.operations.items() if is_draw(name))
    sums = device.kernels, draws, device.flops, device.traffic_bytes, sum(device.uploads.values())
    return Counts(*sums, sum(device.waits.values())) * (1 / steps)


def is_draw(name: str) -> bool:
    """Return whether an operation draws random numbers."""
    if name == WORDS:
        return True
    packet = getattr(torch.ops.aten, name.removeprefix("aten::"))
    return any(torch.Tag.nondeterministic_seeded in getattr(packet, one).tags for one in packet.overloads())


def count_words(keys: torch.Tensor, steps: torch.Tensor, blocks: torch.Tensor, pieces: torch.Tensor) -> torch.Tensor:
    """Count a call of the Triton kernel for random words and return a tensor for them."""
    words = torch.empty(len(keys), len(blocks), 4, dtype=torch.int64, device=keys.device)
    if PretendedDevice.active is not None:
        PretendedDevice.active.launched(WORDS)
        PretendedDevice.active.moved(WORDS, (), [keys, steps, blocks, pieces], [words])
    return words


def pack(case: Case, num_members: int, optimizers: Sequence[str], *, compiled: bool) -> AdversarialPack:
    """Return a pack of members whose optimizers alternate; `compiled`: with the inputs of compiled graphs."""
    members = []
    for seed in range(num_members):
        player = PlayerSettings(RULES[optimizers[seed % len(optimizers)]], 1e-4, Constant())
        objective = Objective(Wasserstein(), {"gp": WGANGP(weight=10.0)})
        members.append(Member(seed, objective, player, player, steps=10**6))
    samples = torch.empty(NUM_SAMPLES, *case.shape, device=NAME)
    settings = PackSettings(batch_size=case.batch)
    trained = AdversarialPack(members, case.model, samples, settings, critic_steps=case.critic_steps, compiled=compiled)
    trained.call_generate = trained._generated
    trained.call_gradients_d, trained.call_gradients_g = trained._discriminator_gradients, trained._generator_gradients
    return trained


class Graphs:
    """Counts of the compiled parts of a step.

    Attributes:
        samples: generated samples of all critic steps, if there are several.
        gradients: losses and gradients of the discriminators and of the generators.
        updates: updates of every group of members, by player.
    """

    def __init__(self, case: Case, num_members: int, optimizers: Sequence[str]) -> None:
        with fake_tensors():
            trained = pack(case, num_members, optimizers, compiled=True)
            every = [trained.random.for_discriminator() for _ in range(case.critic_steps)]
            given_g = trained.random.for_generator(every[-1])
            fake = torch.empty_like(every[-1].real)
            given_d = replace(every[-1], fake=fake) if case.critic_steps > 1 else every[-1]
        self.samples = generated(trained._generated, every, options=OPTIONS)
        self.gradients = {
            "discriminator": generated(trained._discriminator_gradients, given_d, options=OPTIONS),
            "generator": generated(trained._generator_gradients, given_g, options=OPTIONS),
        }
        self.updates = {
            name: [self._update(one, group) for group in one.groups] for name, one in trained.players.items()
        }

    def _update(self, of: Player, group: Group) -> Generated:
        with fake_tensors():
            pieces = of.division.gradients([torch.empty_like(p.flatten(1)) for p in of.params()])
            part = group.part(of.division, of.chunks[0], pieces)
            outputs = Outputs(torch.empty_like(pieces[0][:, 0]), of.finite_gradients).of(group.rows)
            context = of._context(group)
        return generated(update_part, group.rule, part, context, outputs, options=UPDATE_OPTIONS)


def instead(device: PretendedDevice, function: Callable, counts: Generated) -> Callable:
    """Return the function with other counts of kernels and bytes; the FLOP remain."""

    def call(*args):
        before = device.kernels, device.traffic_bytes, device.operations.copy()
        result = function(*args)
        device.kernels, device.traffic_bytes, device.operations = before
        device.kernels += counts.kernels
        device.traffic_bytes += counts.num_bytes
        return result

    return call


def ours(
    case: Case, num_members: int, optimizers: Sequence[str], steps: int, graphs: Graphs, *, compiled: bool
) -> Counts:
    """Return the mean counts of a step of a pack with fused updates."""
    with PretendedDevice(inner="meta") as device:
        trained = pack(case, num_members, optimizers, compiled=compiled)
        by_state = {
            id(group.state[0]): counts
            for name, of in trained.players.items()
            for group, counts in zip(of.groups, graphs.updates[name], strict=True)
        }

        def fused_update(rule: UpdateRule, part: Part, *context_and_outputs: Any) -> None:
            instead(device, update_part, by_state[id(part.state)])(rule, part, *context_and_outputs)

        player.fused_update = fused_update  # compiled functions can't run on the pretended device
        if compiled:
            of_d, of_g = graphs.gradients["discriminator"], graphs.gradients["generator"]
            trained.call_generate = instead(device, trained.call_generate, graphs.samples)
            trained.call_gradients_d = instead(device, trained.call_gradients_d, of_d)
            trained.call_gradients_g = instead(device, trained.call_gradients_g, of_g)
        training = trained.steps()
        return count(device, lambda: next(training), steps)


def rows(case: Case, members: Sequence[int], optimizers: Sequence[str], steps: int) -> list[str]:
    """Count a step of ours and of the plain loop for several numbers of members; print and return the rows."""
    with PretendedDevice(inner="meta") as device:
        alone = [count(device, textbook(case, OF_TORCH[rule], 1e-4, NAME), min(steps, 5)) for rule in optimizers]
    lines = []
    for num_members in members:
        graphs = Graphs(case, num_members, optimizers)
        for name, compiled in (("gansweep", False), ("gansweep, compiled", True)):
            counts = ours(case, num_members, optimizers, steps, graphs, compiled=compiled)
            lines.append(counts.row(num_members, name))
            print(lines[-1], flush=True)
        theirs = alone[0] * 0
        for k in range(num_members):
            theirs += alone[k % len(optimizers)]
        lines.append(theirs.row(num_members, "textbook"))
        print(lines[-1], flush=True)
    return lines


def main() -> None:
    """Count, print the table, and write the record with --write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", choices=["epfl", "digits", "toy"], default="epfl")
    parser.add_argument("--members", default="1,6,210", help="numbers of members, separated by commas")
    parser.add_argument("--optimizers", default=",".join(RULES), help=f"some of {', '.join(RULES)}")
    parser.add_argument("--steps", type=int, default=64)
    parser.add_argument("--write", action="store_true", help="also write docs/records/count_step.md")
    arguments = parser.parse_args()
    if not SUPPORTED:
        sys.exit(f"torch {torch.__version__} can't register a device in Python")
    install()
    philox.kernel = lambda device: count_words
    player.can_fuse = lambda device: True
    torch.set_num_threads(1)
    case, optimizers = CASES[arguments.case], arguments.optimizers.split(",")
    members = [int(number) for number in arguments.members.split(",")]
    lines = [f"| {' | '.join(HEAD)} |", "|---" * len(HEAD) + "|"]
    lines += rows(case, members, optimizers, arguments.steps)
    dropout = getattr(case.model, "dropout", 0)
    how = (
        f"Networks of {arguments.case}: critic_steps={case.critic_steps}, batch {case.batch}, dropout {dropout}, "
        f"WGAN-GP, float32; optimizers {', '.join(optimizers)} alternate over the members. Counted on a "
        f"pretended device without values: mean of {arguments.steps} generator steps; FLOP of matrix products only; "
        "bytes that operations read and write, each tensor once. Graphs of torch.compile are counted in the code that "
        "it writes for an H200; updates are compiled in both rows of gansweep."
    )
    report("count_step", "Cost of a generator step on CUDA, counted", lines, how, write=arguments.write)


if __name__ == "__main__":
    main()
