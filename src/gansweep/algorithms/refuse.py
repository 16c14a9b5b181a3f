"""Error messages for settings that an algorithm does not support, collected into one error."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gansweep.dynamics.alternating import Alternating
from gansweep.losses.objective import NoGame

Found = tuple[bool, str]  # whether the problem exists, and its message: `key=value: reason, and what is expected`


def refuse(found: Iterable[Found], example: str) -> None:
    """Raise ValueError with one line for every problem that exists.

    >>> refuse([(True, "loss=r1: expected ~loss"), (False, "batch_size=0: expected 1")], "algorithm=mine: e.g. ~loss")
    Traceback (most recent call last):
    ValueError: loss=r1: expected ~loss

    Args:
        found: possible problems.
        example: a valid combination of settings, appended to the message if there are several problems.
    """
    problems = [message for exists, message in found if exists]
    if problems:
        raise ValueError("\n".join([*problems, *([example] if len(problems) > 1 else [])]))


def of_a_game(run: Any) -> list[Found]:
    """Return the problems of a `Run` with settings that only `algorithm=adversarial` supports.

    These are joint dynamics, scheduled critic steps, compiled steps, augmentation, conditional models and diagnoses of
    the game's vector field.
    """
    penalties = run.member.objective.penalties
    every = {f"loss.penalties.{name}.every": getattr(penalty, "every", 1) for name, penalty in penalties.items()}
    trainer, why = run.trainer, "only algorithm=adversarial supports this, expected"
    return [
        (run.dynamics != Alternating(), f"dynamics={run.dynamics!r}: {why} dynamics=alternating with its defaults"),
        (run.critic_schedule is not None, f"schedule_critic={run.critic_schedule!r}: {why} null"),
        *((value != 1, f"{key}={value}: {why} 1") for key, value in every.items()),
        (trainer.compile, f"trainer.compile=true: {why} false"),
        (run.member.augment is not None, f"augment={run.member.augment!r}: {why} null"),
        (getattr(run.model, "conditional", False), f"model.conditional=true: {why} false"),
        (trainer.diagnose_every is not None, f"trainer.diagnose_every={trainer.diagnose_every}: {why} null"),
    ]


def of_two_players(run: Any) -> list[Found]:
    """Return the problems of a run with discriminator settings, or with settings of `of_a_game`."""
    member, objective = run.member, run.member.objective
    own_loss = isinstance(objective.game, NoGame)
    # Removing the loss also removes its default of critic_steps.
    critic_steps = 1 if own_loss else objective.critic_steps
    return [
        (not own_loss, f"loss={objective!r}: the algorithm has its own, expected ~loss"),
        (
            member.discriminator != member.generator,
            "lr_d, optimizer_d, schedule_d, feedback_d or clip_grad_norm_d: there is no discriminator, "
            "expected none of them, "
            "and no feedback that changes its rate, such as gap_aware",
        ),
        (
            member.penalty_schedule is not None or member.noise_schedule is not None,
            "schedule_penalty or schedule_noise: there are no penalties and no instance noise, expected none of them",
        ),
        (run.critic_steps != critic_steps, f"critic_steps={run.critic_steps}: there is no discriminator, expected 1"),
        *of_a_game(run),
    ]
