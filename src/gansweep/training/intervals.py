"""When a run is looked at."""

from __future__ import annotations

from dataclasses import dataclass

from gansweep.training.run import TrainerSettings


@dataclass(frozen=True)
class Timetable:
    """What is due after a step, counted from 1; everything is after the last one.

    Args:
        trainer: the steps between two looks of each kind.
        total_steps: of the run.
    """

    trainer: TrainerSettings
    total_steps: int

    def point(self, step: int) -> bool:
        """Tell whether the curves have a point there."""
        return self._every(self.trainer.log_every, step)

    def evaluation(self, step: int) -> bool:
        """Tell whether the metric is measured."""
        return step in self.trainer.eval_at or self._every(self.trainer.eval_every, step)

    def picture(self, step: int) -> bool:
        """Tell whether samples are drawn."""
        return step in self.trainer.eval_at or self._every(self.trainer.sample_every, step)

    def checkpoint(self, step: int) -> bool:
        """Tell whether all is saved, however long ago it was the last time."""
        return self._every(self.trainer.checkpoint_every, step)

    def diagnosis(self, step: int) -> bool:
        """Tell whether the game's field is looked at."""
        return self.trainer.diagnose_every is not None and self._every(self.trainer.diagnose_every, step)

    def anything(self, step: int) -> bool:
        """Tell whether something is written that a diverged run must not have, or divergence itself is looked for."""
        dear = self.evaluation(step) or self.picture(step) or self.checkpoint(step) or self.diagnosis(step)
        return dear or self._every(self.trainer.check_every, step)

    def _every(self, interval: int, step: int) -> bool:
        return step == self.total_steps or step % interval == 0
