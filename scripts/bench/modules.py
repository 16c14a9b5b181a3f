"""Time of a generator step with plain torch modules, beside the same networks of gansweep.layers.

    python scripts/bench/modules.py --write        # into docs/records/modules.md
    python scripts/bench/modules.py --members 1 --loss standard

The modules are those that `Network.module` returns for the networks of gansweep, so that both have the same layers.
Values are medians of the CPU time of a step, for a pack of K members, with Adam.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.member import Member, PlayerSettings
from gansweep.batched.pack import PackSettings
from gansweep.layers import Network
from gansweep.losses.objective import Objective
from gansweep.losses.standard import Standard
from gansweep.models.dcgan import DCGAN
from gansweep.models.mlp import MLP
from gansweep.models.modules import ModuleNetwork
from gansweep.optimizers.adam import Adam
from gansweep.penalties.r1 import R1
from gansweep.schedules.constant import Constant
from report import report

POINTS = MLP(latent_dim=2, generator_widths=(16,) * 3, discriminator_widths=(16,) * 3, dropout=0.0)
CASES = {
    "mlp_2d": (POINTS, (2,)),
    "mlp": (MLP(dropout=0.0), (1, 8, 8)),
    "dcgan": (DCGAN(base_width=32), (1, 28, 28)),
}
LOSSES = {"standard": Objective(Standard()), "r1": Objective(Standard(), {"r1": R1(weight=1.0)})}
HEAD = ["model", "loss", "K", "layers of gansweep (ms)", "plain modules (ms)", "factor"]
BATCH, WARM_STEPS = 64, 3


@dataclass(frozen=True)
class Plain:
    """The networks of a model as plain torch modules."""

    of: Any

    @property
    def latent_dim(self) -> int:
        """Dimension of z."""
        return self.of.latent_dim

    def generator(self, sample_shape: tuple[int, ...]) -> Network:
        """Return the generator."""
        return self._plain(self.of.generator(sample_shape), (self.latent_dim,), sample_shape)

    def discriminator(self, sample_shape: tuple[int, ...]) -> Network:
        """Return the discriminator."""
        return self._plain(self.of.discriminator(sample_shape), sample_shape, (1,))

    def _plain(self, network: Network, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> Network:
        state = network.state_dict(network.initial(torch.Generator())[None], network.initial_buffers(1))
        return ModuleNetwork(lambda: network.module(state, inputs), outputs)


def step_ms(model: Any, shape: tuple[int, ...], loss: str, members: int, steps: int) -> float:
    """Return the median CPU time of a generator step of a pack in milliseconds."""
    player = PlayerSettings(Adam(), 1e-4, Constant())
    settings = [Member(seed, LOSSES[loss], player, player, 1000) for seed in range(members)]
    samples = torch.rand(512, *shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    pack = AdversarialPack(settings, model, samples, PackSettings(BATCH), critic_steps=1)
    times, before = [], time.process_time()
    for _ in islice(pack.steps(), WARM_STEPS + steps):
        now = time.process_time()
        times.append(1000 * (now - before))
        before = now
    return statistics.median(times[WARM_STEPS:])


def main() -> None:
    """Measure the cases and print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", default="1,8", help="numbers of members, separated by commas")
    parser.add_argument("--loss", default=",".join(LOSSES), help="losses, separated by commas")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--write", action="store_true", help="into docs/records/modules.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for name, (model, shape) in CASES.items():
        for loss in options.loss.split(","):
            for members in map(int, options.members.split(",")):
                ours, plain = (step_ms(each, shape, loss, members, options.steps) for each in (model, Plain(model)))
                cells = [name, loss, str(members), f"{ours:.1f}", f"{plain:.1f}", f"{plain / ours:.2f}"]
                rows.append(f"| {' | '.join(cells)} |")
                print(rows[-1], flush=True)
    how = (
        f"Median CPU time of {options.steps} generator steps, batch {BATCH}, Adam, one thread, float32. "
        "mlp_2d: points, widths 16; mlp: 8 x 8 pixels, widths 256 to 1024; dcgan: 28 x 28 pixels, base_width=32."
    )
    lines = [f"| {' | '.join(HEAD)} |", "|---" * len(HEAD) + "|", *rows]
    report("modules", "Plain torch modules beside layers of gansweep", lines, how, write=options.write)


if __name__ == "__main__":
    main()
