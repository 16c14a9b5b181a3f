"""Intervals of evaluations, curves, pictures, checkpoints, diagnoses and divergence checks."""

from __future__ import annotations

from dataclasses import dataclass

from gansweep.training.run import TrainerSettings


@dataclass(frozen=True)
class Timetable:
    """Actions that are due after a step, counted from 1. All are due after the last step.

    Args:
        trainer: the interval of each action in steps.
        total_steps: of the run.
    """

    trainer: TrainerSettings
    total_steps: int

    def point(self, step: int) -> bool:
        """Return whether a point is added to the curves."""
        return self._every(self.trainer.log_every, step)

    def evaluation(self, step: int) -> bool:
        """Return whether the metric is evaluated."""
        return step in self.trainer.eval_at or self._every(self.trainer.eval_every, step)

    def picture(self, step: int) -> bool:
        """Return whether a sample grid is written."""
        return step in self.trainer.eval_at or self._every(self.trainer.sample_every, step)

    def checkpoint(self, step: int) -> bool:
        """Return whether a checkpoint is due, regardless of `checkpoint_minutes`."""
        return self._every(self.trainer.checkpoint_every, step)

    def diagnosis(self, step: int) -> bool:
        """Return whether the game's vector field is diagnosed."""
        return self.trainer.diagnose_every is not None and self._every(self.trainer.diagnose_every, step)

    def anything(self, step: int) -> bool:
        """Return whether divergence has to be read: before an output that a diverged run must not have, or a check."""
        output = self.evaluation(step) or self.picture(step) or self.checkpoint(step) or self.diagnosis(step)
        return output or self._every(self.trainer.check_every, step)

    def _every(self, interval: int, step: int) -> bool:
        return step == self.total_steps or step % interval == 0
