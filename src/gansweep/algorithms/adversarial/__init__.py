"""Adversarial training of a generator and a discriminator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from gansweep.algorithms.adversarial.pack import AdversarialPack
from gansweep.algorithms.adversarial.report import Report
from gansweep.batched.pack import PackSettings
from gansweep.labels import labels_of

__all__ = ["Adversarial", "AdversarialPack", "Report"]


@dataclass(frozen=True)
class Adversarial:
    """GAN training: alternating or joint updates of a discriminator and a generator.

    Goodfellow et al. 2014, arXiv:1406.2661, algorithm 1. `loss` selects the losses of both players, `dynamics`
    how their gradients become optimizer steps.
    """

    indexes_samples: ClassVar[bool] = True

    def check(self, run: Any) -> None:
        """Raise ValueError if the dynamics do not support the update rules or trainer settings."""
        if run.dynamics.joint and run.critic_steps != 1:
            raise ValueError(
                f"critic_steps={run.critic_steps}: {run.dynamics!r} updates both players jointly, expected 1"
            )
        if run.dynamics.joint and run.critic_schedule is not None:
            raise ValueError(
                f"schedule_critic={run.critic_schedule!r}: {run.dynamics!r} updates both players jointly, expected null"
            )
        if run.dynamics.joint and run.trainer.compile:
            raise ValueError(
                f"trainer.compile=true: {run.dynamics!r} can't be compiled, expected false, or dynamics=alternating"
            )
        if run.trainer.compile and not getattr(run.model, "compiles", True):
            raise ValueError(
                "trainer.compile=true: model=modules can't be compiled, expected false, or a model of gansweep.layers"
            )
        for rule in (run.member.generator.rule, run.member.discriminator.rule):
            if run.trainer.compile and not rule.elementwise:
                raise ValueError(
                    f"trainer.compile=true: {rule!r} can't be compiled; expected an elementwise rule, "
                    "such as sgd, rmsprop or adam, or trainer.compile=false"
                )
            if getattr(run.dynamics, "extrapolates", False) and hasattr(rule, "evaluated"):
                raise ValueError(
                    f"dynamics={run.dynamics!r}: restores the parameters after its extrapolation step, "
                    f"but {rule!r} keeps averages that are not restored; "
                    "expected another optimizer, or dynamics=alternating"
                )

    def pack(self, runs: Sequence[Any], samples: Tensor) -> AdversarialPack:
        """Return the pack of runs that differ in their members only."""
        run = runs[0]
        return AdversarialPack(
            [each.member for each in runs],
            run.model,
            samples,
            PackSettings.of(run),
            critic_steps=run.critic_steps,
            critic_schedule=run.critic_schedule,
            dynamics=run.dynamics,
            compiled=run.trainer.compile,
            labels=labels_of(run.data).to(samples.device) if getattr(run.model, "conditional", False) else None,
        )
