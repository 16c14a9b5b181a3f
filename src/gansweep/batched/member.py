"""Settings that may differ between the members of a pack: seed, losses, optimizers, and rates with their schedules."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch

from gansweep.augmentations import Augmentation
from gansweep.interfaces import Feedback, Penalty, Schedule, UpdateRule
from gansweep.losses.objective import Objective
from gansweep.seeding import Streams

T = TypeVar("T")


def check_update(rule: UpdateRule) -> None:
    """Raise ValueError if `update` of a rule, or of a rule that it wraps, has another signature than the protocol's."""
    signature = inspect.signature(rule.update)
    try:
        signature.bind("theta", "grad", "state", "context")
    except TypeError:
        raise ValueError(
            f"{type(rule).__name__}.update{signature}: expected update(theta, grad, state, context), "
            "with lr, step and slots in context; see docs/howto/add_an_optimizer.md"
        ) from None
    wrapped = getattr(rule, "of", None)
    if isinstance(wrapped, UpdateRule):
        check_update(wrapped)


@dataclass(frozen=True)
class PlayerSettings:
    """Optimizer settings of one player of one member.

    Args:
        rule: the optimizer.
        lr: base learning rate, multiplied by the schedule.
        schedule: multiplier of `lr` at every generator step.
        feedback: adaptive gain on the scheduled rate; None for 1.
        beta_schedule: multiplier of the rule's beta1 or momentum.
        clip_norm: bound on the norm of the gradient, over all parameters; None for no clipping.
        clip_value: bound on the absolute value of every entry of the gradient; None for no clipping.
    """

    rule: UpdateRule
    lr: float
    schedule: Schedule
    feedback: Feedback | None = None
    beta_schedule: Schedule | None = None
    clip_norm: float | None = None
    clip_value: float | None = None

    def __post_init__(self) -> None:
        check_update(self.rule)

    def rate(self, step: int, total_steps: int) -> float:
        """Return the learning rate of a step before feedback, 0 <= step < total_steps."""
        return self.lr * self.schedule(step, total_steps)

    @property
    def memory(self) -> float:
        """Beta1 or momentum of the rule, 0 if it has none that can be scheduled."""
        return getattr(self.rule, "memory", 0.0)

    def beta(self, step: int, total_steps: int) -> float:
        """Return the scheduled beta1 or momentum of a step; 1, which is not used, without a schedule."""
        return self.memory * self.beta_schedule(step, total_steps) if self.beta_schedule else 1.0

    def check_beta(self, total_steps: int) -> None:
        """Raise ValueError if the rule has no beta1 or momentum, or if a scheduled value is outside [0, 1)."""
        if self.beta_schedule is None:
            return
        if not self.memory:
            raise ValueError(
                f"{self.rule!r} has no momentum that a schedule of beta could change; "
                "expected another rule, e.g. adam, or sgd with momentum=0.9, or no such schedule"
            )
        betas = self.memory * self.beta_schedule.values(total_steps)
        worst = int(betas.argmax() if betas.max() >= 1 else betas.argmin())
        if not 0 <= betas[worst] < 1:
            raise ValueError(
                f"{self.beta_schedule!r} makes a beta of {betas[worst]:g} of {self.memory:g} in step {worst}, "
                "expected 0 <= beta < 1"
            )


@dataclass(frozen=True)
class Member:
    """Settings of one training run in a pack. All of them may differ between members.

    Args:
        seed: seed of all its random streams.
        objective: game and penalties.
        generator: rule, rate and schedule of the generator.
        discriminator: the same for the discriminator.
        steps: number of generator updates; schedules are functions of step / steps.
        ema: decay of the running average of the generator's parameters, None for no average.
        penalty_schedule: multiplier of the penalties' weights at every generator step.
        noise_schedule: multiplier of the instance noise.
        ema_schedule: multiplier of 1 - ema, the weight of the newest parameters in the average.
        augment: augmentation of the discriminator's inputs.
        seed_init: another seed for the initial parameters; None for `seed`.
        seed_data: another seed for the order of the data.
        seed_noise: another seed for the other random numbers of the training. Evaluations use `seed`.
    """

    seed: int
    objective: Objective
    generator: PlayerSettings
    discriminator: PlayerSettings
    steps: int = 1000
    ema: float | None = None
    penalty_schedule: Schedule | None = None
    noise_schedule: Schedule | None = None
    ema_schedule: Schedule | None = None
    augment: Augmentation | None = None
    seed_init: int | None = None
    seed_data: int | None = None
    seed_noise: int | None = None

    def __post_init__(self) -> None:
        for player in (self.generator, self.discriminator):
            player.check_beta(self.steps)
        feedback = self.generator.feedback
        if feedback is not None and feedback.monitors == "game":
            raise ValueError(
                f"generator.feedback={feedback!r}: monitors the discriminator's loss and changes only its rate; "
                "expected as discriminator.feedback"
            )

    def streams(self, device: torch.device, under: str = "") -> Streams:
        """Return the random streams of the training; `under` is a prefix of their names."""
        init, data, noise = (
            self.seed if other is None else other for other in (self.seed_init, self.seed_data, self.seed_noise)
        )
        return Streams(noise, device, under, {"init": init, "order": data})

    def player(self, name: str) -> PlayerSettings:
        """Return the settings of `generator` or `discriminator`, with feedback fitted to the game."""
        player: PlayerSettings = getattr(self, name)
        feedback = player.feedback
        return player if feedback is None else replace(player, feedback=feedback.fitted(self.objective.game))

    @property
    def monitors_metric(self) -> bool:
        """Whether the feedback of a player monitors the metric."""
        feedbacks = (self.generator.feedback, self.discriminator.feedback)
        return any(feedback is not None and feedback.monitors == "metric" for feedback in feedbacks)

    def penalty_factor(self, step: int, total_steps: int) -> float:
        """Return the multiplier of the penalties' weights during a step."""
        return self.penalty_schedule(step, total_steps) if self.penalty_schedule else 1.0

    def noise(self, step: int, total_steps: int) -> float:
        """Return the standard deviation of the instance noise during a step."""
        factor = self.noise_schedule(step, total_steps) if self.noise_schedule else 1.0
        return self.objective.instance_noise * factor

    def averaging(self, step: int, total_steps: int) -> float:
        """Return the weight of the newest parameters in the average, (1 - ema) * schedule, at most 1."""
        factor = self.ema_schedule(step, total_steps) if self.ema_schedule else 1.0
        return min(1.0, (1 - (self.ema or 0.0)) * factor)

    @property
    def penalties(self) -> list[Penalty]:
        """Penalties, sorted by name."""
        return [penalty for _, penalty in sorted(self.objective.penalties.items())]


def side_by_side(members: Sequence[Member]) -> list[int]:
    """Return an order of the members in which equal games, penalties, rules, feedbacks and augmentations are adjacent.

    Members with more penalties come first, so that those with an n-th penalty are a slice of the pack.
    """

    def key(k: int) -> tuple:
        member = members[k]
        kinds = [repr(kind(penalty)) for penalty in member.penalties]
        players = (member.generator, member.discriminator)
        rules = [(repr(player.rule), player.beta_schedule is not None) for player in players]
        feedbacks = [repr(player.feedback) for player in players]
        return (-len(kinds), kinds, repr(member.objective.game), rules, feedbacks, repr(member.augment))

    return sorted(range(len(members)), key=key)


def kind(penalty: Any) -> Penalty:
    """Return the penalty with weight 1, evaluated in every update."""
    return replace(penalty, weight=1.0, **({"every": 1} if hasattr(penalty, "every") else {}))


def runs(values: Iterable[T]) -> list[tuple[T, slice]]:
    """Group equal adjacent values; return a list of (value, rows).

    >>> runs("aab")
    [('a', slice(0, 2, None)), ('b', slice(2, 3, None))]
    """
    groups: list[tuple[T, slice]] = []
    for n, value in enumerate(values):
        if groups and groups[-1][0] == value:
            groups[-1] = (value, slice(groups[-1][1].start, n + 1))
        else:
            groups.append((value, slice(n, n + 1)))
    return groups
