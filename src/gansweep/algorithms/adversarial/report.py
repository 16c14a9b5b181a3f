"""Values of one step of an adversarial pack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gansweep.batched.objectives import DiscriminatorTerms


@dataclass
class Report:
    """Values of one generator step, with one entry per row of the pack.

    `steps` counts each member's generator steps so far. `discriminator` belongs to the last critic step.
    """

    steps: list[int]
    discriminator: DiscriminatorTerms
    discriminator_gradient: Tensor
    generator_loss: Tensor
    generator_gradient: Tensor

    def curves(self) -> dict[str, Tensor]:
        """Return losses, logits and gradient norms (K,) by tag."""
        return {
            "loss/discriminator": self.discriminator.loss,
            "loss/generator": self.generator_loss,
            "logits/real": self.discriminator.real,
            "logits/fake": self.discriminator.fake,
            "gradient norm/discriminator": self.discriminator_gradient,
            "gradient norm/generator": self.generator_gradient,
        }

    def penalties(self, names: Sequence[str]) -> dict[str, Tensor]:
        """Return the penalties (K,) by tag, given their names in the order of the objectives."""
        return {f"penalty/{name}": value for name, value in zip(names, self.discriminator.penalties, strict=False)}


def scheduled_settings(pack: Any, row: int) -> dict[str, Tensor]:
    """Return the scheduled settings of a row of an `AdversarialPack` by tag."""
    member, values = pack.members[row], dict[str, Tensor]()
    if member.penalty_schedule is not None:
        for name, penalty in zip(sorted(member.objective.penalties), pack.objectives.passes, strict=False):
            values[f"schedule/weight of {name}"] = penalty.weights[row] * penalty.factors.now[row, 0]
    if member.noise_schedule is not None and pack.objectives.noise is not None:
        values["schedule/instance noise"] = pack.objectives.noise.now[row, 0]
    if member.ema_schedule is not None and member.ema is not None:
        values["schedule/decay of the average"] = 1 - pack.averaging.now[row, 0]
    for name, player in pack.players.items():
        if player.betas is not None and player.settings[row].beta_schedule is not None:
            values[f"schedule/beta of the {name}"] = player.betas.now[row, 0]
    if pack.scheduled_critic_steps.schedule is not None:
        critic_steps = pack.scheduled_critic_steps.now(pack.done, pack.total_steps)
        values["schedule/critic steps"] = torch.tensor(float(critic_steps))
    return values
