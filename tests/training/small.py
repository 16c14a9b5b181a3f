"""Small runs for tests of the training: real classes, small sizes."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pytest
import torch
from torch import Tensor

from gansweep.batched.member import Member, PlayerSettings
from gansweep.losses.objective import Objective
from gansweep.losses.standard import Standard
from gansweep.models.mlp import MLP
from gansweep.optimizers.adam import Adam
from gansweep.penalties.r1 import R1
from gansweep.schedules.constant import Constant
from gansweep.training import record
from gansweep.training.run import Run, TrainerSettings


@dataclass(frozen=True)
class Shapes:
    """Forty 6 x 6 images, equal in every process."""

    name: str = "shapes"
    sample_shape: tuple[int, ...] = (1, 6, 6)
    content_hash: str = "shapes-1"

    @cached_property
    def samples(self) -> Tensor:
        return torch.rand(40, 1, 6, 6, generator=torch.Generator().manual_seed(5)) * 2 - 1

    def check(self) -> None:
        return None


@dataclass(frozen=True)
class MeanDistance:
    """Distance between the mean images; 0 for the data themselves."""

    name: str = "mean_distance"
    num_samples: int = 16
    lower_is_better = True

    def check(self, data) -> None:
        return None

    def fingerprint(self, data) -> dict:
        return {"name": self.name, "num_samples": self.num_samples}

    def __call__(self, data, fake: Tensor) -> float:
        return float((fake.to(data.samples.device).mean(0) - data.samples.mean(0)).norm())


def small_mlp(**changes) -> MLP:
    """Return an MLP of 4 -> 8 -> 10 -> 36 and 36 -> 10 -> 8 -> 1 with dropout."""
    settings = {"latent_dim": 4, "generator_widths": (8, 10), "discriminator_widths": (10, 8), "dropout": 0.3}
    return MLP(**(settings | changes))


def member(
    seed: int = 0, rule=None, lr: float = 1e-3, objective=None, schedule=None, steps: int = 8, **changes
) -> Member:
    """Return a member with the same settings for both players."""
    player = PlayerSettings(rule or Adam(), lr, schedule or Constant())
    objective = objective or Objective(Standard(), {"r1": R1(weight=1.0)})
    return Member(seed, objective, player, player, steps, **changes)


def make_run(steps: int = 12, one: Member | None = None, model=None, metric=None, **trainer) -> Run:
    """Return a run that evaluates every 4 steps and writes a checkpoint every 5."""
    every = {"eval_every": 4, "log_every": 2, "sample_every": 6, "checkpoint_every": 5, "check_every": 3}
    return Run(
        member=replace(one or member(), steps=steps),
        model=model or small_mlp(),
        data=Shapes(),
        metric=metric or MeanDistance(),
        batch_size=10,
        trainer=TrainerSettings(**(every | trainer)),
        device="cpu",
    )


def written(directory: Path) -> dict:
    """Read a cell's record without its checksums."""
    content = json.loads((directory / record.NAME).read_text(), parse_constant=pytest.fail)
    assert content.pop(record.CHECKSUMS) == record.checksums(content)
    return content
