"""What conf/algorithm/adversarial.yaml makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from gansweep.algorithms.adversarial.pack import AdversarialPack
from gansweep.dynamics.extragradient import ExtraGradient
from gansweep.interfaces import Averaging

if TYPE_CHECKING:
    from gansweep.training.run import Run


@dataclass(frozen=True)
class Adversarial:
    """A discriminator tells real samples from generated ones, the generator answers.

    Goodfellow et al. 2014, arXiv:1406.2661, algorithm 1. What the players want is the `loss`, how
    their gradients become steps are the `dynamics`.
    """

    def check(self, run: Run) -> None:
        """Raise ValueError if dynamics and rules can't play together."""
        if run.dynamics.joint and run.critic_steps != 1:
            raise ValueError(
                f"critic_steps={run.critic_steps}: {run.dynamics!r} moves both players at once, expected 1"
            )
        if run.dynamics.joint and run.critic_schedule is not None:
            raise ValueError(
                f"schedule_critic={run.critic_schedule!r}: {run.dynamics!r} moves both players at once, expected null"
            )
        if run.dynamics.joint and run.trainer.compile:
            raise ValueError(f"trainer.compile=true: {run.dynamics!r} can't be compiled, the alternating ones can")
        for player in (run.member.generator, run.member.discriminator):
            if run.trainer.compile and not player.rule.elementwise:
                raise ValueError(
                    f"trainer.compile=true: {player.rule!r} can't be compiled; rules that move every entry "
                    "on its own can, such as sgd, rmsprop and adam; or train with trainer.compile=false"
                )
            if isinstance(run.dynamics, ExtraGradient) and isinstance(player.rule, Averaging):
                raise ValueError(
                    f"dynamics={run.dynamics!r}: comes back from its look ahead, but {player.rule!r} keeps averages "
                    "that do not; expected another optimizer, or dynamics=alternating"
                )

    def pack(self, runs: Sequence[Run], samples: Tensor) -> AdversarialPack:
        """Put runs that share everything but their members side by side."""
        run = runs[0]
        return AdversarialPack.of(
            runs,
            samples,
            critic_steps=run.critic_steps,
            compiled=run.trainer.compile,
            dynamics=run.dynamics,
            critic_schedule=run.critic_schedule,
        )
