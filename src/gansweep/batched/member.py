"""What one member of a pack may choose for itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from gansweep.interfaces import Feedback, Penalty, Remembering, Schedule, UpdateRule
from gansweep.losses.objective import Objective

T = TypeVar("T")


@dataclass(frozen=True)
class PlayerSettings:
    """How one player of one member moves.

    Args:
        rule: the optimizer.
        lr: base learning rate, multiplied by the schedule.
        schedule: the multiplier at every generator step.
        feedback: a gain that multiplies both and answers to the run; None for 1.
        beta_schedule: multiplier of the rule's memory of past gradients, beta1 or momentum.
    """

    rule: UpdateRule
    lr: float
    schedule: Schedule
    feedback: Feedback | None = None
    beta_schedule: Schedule | None = None

    def rate(self, step: int, total_steps: int) -> float:
        """Learning rate of a step before feedback, 0 <= step < total_steps."""
        return self.lr * self.schedule(step, total_steps)

    @property
    def memory(self) -> float:
        """The rule's beta1 or momentum, 0 if it has none that a schedule can change."""
        return self.rule.memory if isinstance(self.rule, Remembering) else 0.0

    def beta(self, step: int, total_steps: int) -> float:
        """What the schedule makes of it during a step; 1, which nobody reads, without one."""
        return self.memory * self.beta_schedule(step, total_steps) if self.beta_schedule else 1.0

    def check_beta(self, total_steps: int) -> None:
        """Raise ValueError if there is nothing to multiply, or if the product leaves [0, 1)."""
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
    """One training among those of a pack. Everything here may differ between neighbours.

    Args:
        seed: of all its random streams.
        objective: game and penalties.
        generator: rule, rate and schedule of the generator.
        discriminator: the same of the discriminator.
        steps: generator updates, which the schedules are relative to.
        ema: decay of the running average of the generator's parameters, None for no average.
        penalty_schedule: multiplier of the penalties' weights at every generator step.
        noise_schedule: the same of the instance noise.
        ema_schedule: the same of 1 - ema, what the average takes over from every step.
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

    def __post_init__(self) -> None:
        for player in (self.generator, self.discriminator):
            player.check_beta(self.steps)
        feedback = self.generator.feedback
        if feedback is not None and feedback.hears == "game":
            raise ValueError(
                f"generator.feedback={feedback!r}: hears the discriminator's loss and moves its rate alone; "
                "expected as discriminator.feedback"
            )

    def player(self, name: str) -> PlayerSettings:
        """Return the settings of `generator` or `discriminator`, with feedback that knows its game."""
        player: PlayerSettings = getattr(self, name)
        feedback = player.feedback
        return player if feedback is None else replace(player, feedback=feedback.fitted(self.objective.game))

    @property
    def hears_metric(self) -> bool:
        """Whether a player's rate answers to the metric."""
        feedbacks = (self.generator.feedback, self.discriminator.feedback)
        return any(feedback is not None and feedback.hears == "metric" for feedback in feedbacks)

    def penalty_factor(self, step: int, total_steps: int) -> float:
        """Multiplier of the penalties' weights in force during a step."""
        return self.penalty_schedule(step, total_steps) if self.penalty_schedule else 1.0

    def noise(self, step: int, total_steps: int) -> float:
        """Standard deviation of the instance noise in force during a step."""
        factor = self.noise_schedule(step, total_steps) if self.noise_schedule else 1.0
        return self.objective.instance_noise * factor

    def averaging(self, step: int, total_steps: int) -> float:
        """What the average takes over from a step, 1 - ema times the schedule; all, where there is no average."""
        factor = self.ema_schedule(step, total_steps) if self.ema_schedule else 1.0
        return min(1.0, (1 - (self.ema or 0.0)) * factor)

    @property
    def penalties(self) -> list[Penalty]:
        """The penalties in the order of their names."""
        return [penalty for _, penalty in sorted(self.objective.penalties.items())]


def side_by_side(members: Sequence[Member]) -> list[int]:
    """Order members so that those who share a game, a penalty, a rule or feedback stand together.

    Those with more penalties come first: pass n over the penalties is then a slice of the pack.
    """

    def key(k: int) -> tuple:
        member = members[k]
        kinds = [repr(kind(penalty)) for penalty in member.penalties]
        players = (member.generator, member.discriminator)
        rules = [(repr(player.rule), player.beta_schedule is not None) for player in players]
        feedbacks = [repr(player.feedback) for player in players]
        return (-len(kinds), kinds, repr(member.objective.game), rules, feedbacks)

    return sorted(range(len(members)), key=key)


def kind(penalty: Any) -> Penalty:
    """Return the penalty with weight 1: what it prices, without how much."""
    return replace(penalty, weight=1.0)


def runs(values: Iterable[T]) -> list[tuple[T, slice]]:
    """Return maximal runs of equal neighbours as (value, rows).

    >>> runs("aab")
    [('a', slice(0, 2, None)), ('b', slice(2, 3, None))]
    """
    found: list[tuple[T, slice]] = []
    for n, value in enumerate(values):
        if found and found[-1][0] == value:
            found[-1] = (value, slice(found[-1][1].start, n + 1))
        else:
            found.append((value, slice(n, n + 1)))
    return found
