"""What an algorithm can't train, all of it at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gansweep.dynamics.alternating import Alternating
from gansweep.losses.no_game import NoGame

if TYPE_CHECKING:
    from gansweep.training.run import Run

Found = tuple[bool, str]  # whether something is so, and how it is said: `key=value: why, and what is expected`


def refuse(found: Iterable[Found], example: str) -> None:
    """Raise ValueError with a line for everything that is so.

    >>> refuse([(True, "loss=r1: expected ~loss"), (False, "batch_size=0: expected 1")], "algorithm=mine: e.g. ~loss")
    Traceback (most recent call last):
    ValueError: loss=r1: expected ~loss

    Args:
        found: what may be wrong.
        example: settings that go together. It ends the message where several things are wrong.
    """
    wrong = [text for is_so, text in found if is_so]
    if wrong:
        raise ValueError("\n".join([*wrong, *([example] if len(wrong) > 1 else [])]))


def of_a_game(run: Run) -> list[Found]:
    """Tell what only `algorithm=adversarial` does.

    Those are the dynamics of a game, a schedule of critic steps, compiled steps and diagnoses of a game's field.
    """
    trainer, why = run.trainer, "only algorithm=adversarial has that, expected"
    return [
        (run.dynamics != Alternating(), f"dynamics={run.dynamics!r}: {why} alternating as it is"),
        (run.critic_schedule is not None, f"schedule_critic={run.critic_schedule!r}: {why} null"),
        (trainer.compile, f"trainer.compile=true: {why} false"),
        (trainer.diagnose_every is not None, f"trainer.diagnose_every={trainer.diagnose_every}: {why} null"),
    ]


def of_two_players(run: Run) -> list[Found]:
    """Tell what a network that trains by itself has no use for, and of a game at all."""
    member, objective = run.member, run.member.objective
    own_loss = isinstance(objective.game, NoGame)
    # A loss that goes takes its critic steps along.
    critic_steps = 1 if own_loss else objective.critic_steps
    return [
        (not own_loss, f"loss={objective!r}: the algorithm has its own, expected ~loss"),
        (
            member.discriminator != member.generator,
            "lr_d, optimizer_d, schedule_d or feedback_d: there is no discriminator, expected none of them, "
            "and no feedback that moves it, as gap_aware",
        ),
        (
            member.penalty_schedule is not None or member.noise_schedule is not None,
            "schedule_penalty or schedule_noise: there are no penalties and no instance noise",
        ),
        (run.critic_steps != critic_steps, f"critic_steps={run.critic_steps}: there is no discriminator, expected 1"),
        *of_a_game(run),
    ]
