"""CoopNets of the real classes in sizes that a test can train."""

from __future__ import annotations

import torch
from torch import Tensor

from gansweep.algorithms.coopnets import CoopNets, CoopNetsPack
from gansweep.batched.member import Member, PlayerSettings
from gansweep.batched.pack import PackSettings
from gansweep.losses.objective import Objective
from gansweep.losses.wasserstein import Wasserstein
from gansweep.models.coopnets import CoopNetsPair
from gansweep.optimizers.sgd_matconvnet import MatConvNetSGD
from gansweep.schedules.constant import Constant

TINY = CoopNetsPair(latent_dim=3, width=2)


def patches(count: int = 20, channels: int = 3, side: int = 12) -> Tensor:
    """Return waves of random phase, equal in every process."""
    phase = torch.rand(count, channels, 1, 1, generator=torch.Generator().manual_seed(3)) * 6.28
    x = torch.arange(side)
    return 0.7 * torch.sin(phase + 0.9 * x + 0.5 * x[:, None])


def member(seed: int = 0, lr: float = 5e-4, lr_d: float = 5e-4, rule=None, schedule=None, steps: int = 4, **changes):
    """Return a member with the objective of the algorithm."""
    rule, schedule = rule or MatConvNetSGD(), schedule or Constant()
    players = PlayerSettings(rule, lr, schedule), PlayerSettings(rule, lr_d, schedule)
    return Member(seed, Objective(Wasserstein(), {}), *players, steps, **changes)


def pack_of(members, algorithm=None, model=TINY, samples=None, batch_size: int = 6, **settings) -> CoopNetsPack:
    """Return a pack of such members on a few patches."""
    algorithm = algorithm or CoopNets(langevin_steps=3)
    samples = patches() if samples is None else samples
    return CoopNetsPack(members, model, samples, PackSettings(batch_size, **settings), algorithm=algorithm)


def trained(*arguments, **changes) -> CoopNetsPack:
    """Return the same pack after its last step."""
    pack = pack_of(*arguments, **changes)
    for _ in pack.steps():
        pass
    return pack
