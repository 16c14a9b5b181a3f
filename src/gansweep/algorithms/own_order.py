"""What two players against each other have, and other algorithms have not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gansweep.dynamics.alternating import Alternating

if TYPE_CHECKING:
    from gansweep.training.run import Run


def check_own_order(run: Run) -> None:
    """Raise ValueError if a run with an order of its own asks for what only `algorithm=adversarial` does.

    Those are the dynamics of a game, a schedule of critic steps, compiled steps and diagnoses of a game's field.
    """
    trainer = run.trainer
    for asked, setting, expected in (
        (run.dynamics != Alternating(), f"dynamics={run.dynamics!r}", "alternating as it is"),
        (run.critic_schedule is not None, f"schedule_critic={run.critic_schedule!r}", "null"),
        (trainer.compile, "trainer.compile=true", "false"),
        (trainer.diagnose_every is not None, f"trainer.diagnose_every={trainer.diagnose_every}", "null"),
    ):
        if asked:
            raise ValueError(f"{setting}: only algorithm=adversarial has that, expected {expected}")
