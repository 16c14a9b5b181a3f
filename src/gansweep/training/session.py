"""Training session of one run: its state between packs, its outputs and its checkpoint."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from gansweep import device as devices
from gansweep.batched.divergence import Divergence
from gansweep.batched.pack import Pack, Report
from gansweep.dynamics.position import Both
from gansweep.training import branch_point, checkpoint, checksums, kept, record
from gansweep.training.atomic import unguarded
from gansweep.training.diagnosis import Readings
from gansweep.training.evaluator import Evaluator
from gansweep.training.run import Intervals, Run
from gansweep.training.run_recorder import NoLogFile, RunLogger, RunRecorder, no_progress

log = logging.getLogger(__name__)

NO_CELL = record.Header()  # of a run outside of a sweep


class TrainingSession:
    """One run in training: its state, evaluations, outputs and checkpoint.

    A session is constructed once and may be used with several packs. Between two packs it holds the complete state
    of the member. The constructor loads the directory's checkpoint, if there is one.

    Args:
        run: the run.
        directory: of the cell.
        progress: called with (step, total steps, text of the newest metric value) after every step.
        logger: log file for messages about this run.
        guard: called before every write; raises if this process must not write there any more.
        header: the fields of the record that describe the cell.

    Raises:
        ResumeError: the directory holds the checkpoint of another training.
    """

    def __init__(
        self,
        run: Run,
        directory: Path,
        progress: Callable[[int, int, str], None] = no_progress,
        logger: RunLogger | None = None,
        guard: Callable[[], None] = unguarded,
        *,
        header: record.Header = NO_CELL,
    ) -> None:
        self.header = header
        self.run, self.directory, self.progress, self.guard = run, directory, progress, guard
        self.logger = logger or NoLogFile()
        self.intervals = Intervals(run.trainer, run.steps)
        self.pack: Pack
        self.k = 0
        self.step, self.num_together = 0, 1
        self.packing: Mapping[str, Any] = {}  # how the pack size was chosen, for the record
        self.divergence: Divergence | None = None
        self.error: BaseException | None = None
        self.limits: Mapping[int, float] = {}
        self.branch_steps: Collection[int] = ()  # steps after which other runs begin with the state of this one
        self.dropped: Mapping[str, Any] | None = None  # field of the record
        self.started = datetime.now(timezone.utc).isoformat(timespec="seconds")
        self.wall_s = self.trained_s = 0.0
        self.evaluator = Evaluator(run)
        self.continued: Mapping[str, Any] | None = None  # source of the first checkpoint, see `continuation`
        self.saved: dict[str, Any] = {}  # step and checksum of the member in the last checkpoint
        self._member: dict[str, Any] | None = None  # state of the member while it is in no pack
        directory.mkdir(parents=True, exist_ok=True)
        saved = checkpoint.load(directory, header.identity, partial(checkpoint.check_resumable, run))
        if saved is not None:
            self.step = saved["member"]["step"]
        kept.remove(directory, lambda step: step > self.step)
        self.recorder = RunRecorder(run, header, directory, self.step)
        if saved is not None:
            self._restore(saved)
        self._since = self._saved_at = time.monotonic()

    def _restore(self, saved: Mapping[str, Any]) -> None:
        """Restore everything from the content of a checkpoint."""
        self._member, self.started, self.wall_s = saved["member"], saved["started"], saved["wall_s"]
        self.evaluator.evaluations, self.evaluator.eval_s = saved["evaluations"], saved["eval_s"]
        self.trained_s, self.evaluator.trained_at = checkpoint.training_times(saved)
        self.continued = saved.get("continued")
        self.saved = {"step": self.step, "member": checksums.of_member(saved)}
        self.recorder.curves = saved.get("curves", [])
        if "field" in saved and self.run.trainer.diagnose_every is not None:
            self.recorder.diagnoses = saved["diagnoses"]
            device = devices.resolve(self.run.device)
            self.recorder.field = Both(*((part.to(device),) for part in saved["field"]))
        log.info("continuing from step %d of %d", self.step, self.run.steps)

    @property
    def open(self) -> bool:
        """Whether the member has steps left to train and has not diverged, failed or been dropped."""
        ended = self.divergence is not None or self.error is not None or self.dropped is not None
        return not ended and self.step < self.run.steps

    def race(self, limits: Mapping[int, float]) -> None:
        """Drop the run at the first evaluation that is worse than the limit of its step.

        A dropped run keeps its checkpoint. The evaluation of the checkpoint that was loaded counts too.

        Args:
            limits: worst values of the metric by step, computed by `sweep.step_race`.
        """
        self.limits = limits
        self._drop_if_worse()

    def _drop_if_worse(self) -> None:
        if self.open:
            self.dropped = self.evaluator.dropped(self.limits, self.step)

    def enter(self, pack: Pack, k: int, num_together: int) -> None:
        """Become the k-th member of a pack and continue from the member's state."""
        self.guard()
        self.pack, self.k, self.num_together = pack, k, num_together
        self.recorder.enter_pack()
        if self._member is not None:
            pack.restore(k, self._member)
            self._member = None
            if self.continued is not None and self.continued["step"] == self.step:
                self._complete_evaluation()
        elif self.step == 0:
            self._evaluate()
            self._write_pictures()

    def leave(self) -> None:
        """Export the member from its pack, to continue in another one."""
        self._member = self.pack.export(self.k)

    def needs_divergence(self, report: Report) -> bool:
        """Return whether divergence has to be read after this step."""
        step = self._step_of(report)
        return step in self.branch_steps or self.intervals.anything(step)

    @property
    def at_branch_point(self) -> bool:
        """Whether other runs can begin with the current state of this one."""
        return self.step in self.branch_steps

    def mark_diverged(self, divergence: Divergence) -> None:
        """End the run as diverged. The evaluations so far remain; there is no final value."""
        self.divergence, self.step = divergence, divergence.step
        if not self.intervals.point(self.step):
            self.recorder.record_divergence(self.pack, self.k, self.step)
        log.warning("diverged at step %d: %s: %s", divergence.step, divergence.player, divergence.cause)

    def record_step(self, report: Report) -> None:
        """Advance to the step of a report, and add a point to the curves if one is due."""
        self.step = self._step_of(report)
        due = self.intervals.point(self.step)
        if due:
            self.guard()
        self.recorder.record_step(self.pack, self.k, report, self.step, due)

    def diagnosis_due(self, report: Report) -> bool:
        """Return whether a diagnosis of this member is due after this step."""
        return self.divergence is None and self.error is None and self.intervals.diagnosis(self._step_of(report))

    def record_diagnosis(self, readings: Readings, field: Both) -> None:
        """Append this member's row of a diagnosis of the pack, and keep its row of the field (K, P)."""
        row = self.pack.place[self.k]
        self.recorder.record_diagnosis(readings.of(row), self.step)
        self.recorder.field = field.map(lambda part: part[row : row + 1].clone())

    def write_outputs(self) -> None:
        """Evaluate, write pictures and save a checkpoint if due after a step. Not called for a diverged member."""
        if self.intervals.evaluation(self.step):
            self._evaluate()
            self._drop_if_worse()
        if self.divergence is None:
            if self.intervals.picture(self.step):
                self._write_pictures()
            if self.at_branch_point:
                self.guard()
                identity = self.header.identity
                branch_point.write(self.run, self.directory, self.step, identity, self._content(), self.guard)
            late = time.monotonic() - self._saved_at > 60 * self.run.trainer.checkpoint_minutes
            if late or self.dropped is not None or self.intervals.checkpoint(self.step):
                self.save()
        self.progress(self.step, self.run.steps, self.evaluator.newest())

    def save(self) -> None:
        """Write a checkpoint. If it can't be written, a warning is logged and the run continues."""
        self.guard()
        try:
            member = checkpoint.save(self.directory, self.header.identity, self._content(), self.guard)
        except OSError as error:
            log.warning("no checkpoint at step %d: %s; the run continues", self.step, error)
        else:
            self.saved = {"step": self.step, "member": member}
            self._remove_worse_weights()
        self._saved_at = time.monotonic()

    def _content(self) -> dict[str, Any]:
        """Return the content of a checkpoint, with tensors on the CPU, after flushing the loggers."""
        self.recorder.flush()
        content: dict[str, Any] = {
            "member": self.pack.export(self.k) if self._member is None else self._member,
            "evaluations": self.evaluator.evaluations,
            "started": self.started,
            "wall_s": self.elapsed(),
            "eval_s": self.evaluator.eval_s,
            "trained_s": self.trained_s,
            "trained_at": self.evaluator.trained_at,
            **({} if self.continued is None else {"continued": dict(self.continued)}),
            **({"curves": self.recorder.curves} if self.recorder.curves else {}),
        }
        if self.recorder.field is not None:
            content |= {"diagnoses": self.recorder.diagnoses, "field": list(self.recorder.field.parts)}
        return devices.to_host(content)

    def finalize(self) -> dict[str, Any]:
        """Write the record, close all files and return the record.

        Raises:
            OSError: it can't be written. The checkpoint remains and the run can be finished later.
        """
        pack = {"members": self.num_together, **self.packing}
        content = self.recorder.content(
            self.evaluator, self.divergence, self.step, pack, self.started, self.elapsed(), self.dropped
        )
        if self.continued is not None:
            content["continued"] = dict(self.continued)
        if self.divergence is None and self.saved.get("step") == self.step:
            content["checkpoint"] = self.saved
        self.guard()
        self._remove_worse_weights()
        if self.dropped is None:
            self.recorder.finish(content)
        else:  # the loggers may be continued
            self.recorder.close()
        record.write(self.directory, content, self.guard)
        checkpoint.remove(self.directory)
        self.logger.close()
        return content

    def mark_failed(self) -> None:
        """Log the exception of a failed member and close its files."""
        log.error("failed at step %d", self.step, exc_info=self.error)
        self.close()

    def interrupt(self) -> None:
        """Save a checkpoint and close the files, to continue later."""
        self.save()
        log.info("stopped after step %d, can be continued", self.step)
        self.close()

    def close(self) -> None:
        """Close the files without saving. The last checkpoint remains."""
        self.recorder.close()
        self.logger.close()

    def elapsed(self) -> float:
        """Return the wall time of the run in seconds, including the time before an interruption."""
        return self.wall_s + time.monotonic() - self._since

    def _step_of(self, report: Report) -> int:
        return report.steps[self.pack.place[self.k]]

    def _evaluate(self) -> None:
        """Evaluate the member."""
        values, is_finite = self.evaluator.evaluate(self.pack, self.k, self.step, self.trained_s)
        self._end_evaluation(is_finite)
        self.recorder.scalars(values, self.step)

    def _complete_evaluation(self) -> None:
        """Add what the evaluation after the last step of a shorter run lacks."""
        is_finite = self.evaluator.complete(self.pack, self.k, self.step)
        if not is_finite or self.intervals.evaluation(self.step):
            self._end_evaluation(is_finite)

    def _end_evaluation(self, is_finite: bool) -> None:
        """End the run as diverged if samples are not finite; else keep the weights if `trainer.keep` asks for them."""
        keep, evaluation = self.run.trainer.keep, (self.evaluator.evaluations or [{}])[-1]
        if not is_finite:
            self.mark_diverged(Divergence(self.step, "generator", "samples are not finite"))
        elif keep == "all" or (keep == "best" and "apart" in evaluation):
            weights = devices.to_host(kept.weights_of(self.run.member, self.pack.export(self.k)))
            kept.write(self.directory, self.header.identity, weights, evaluation, self.guard)

    def _remove_worse_weights(self) -> None:
        """With `trainer.keep=best`, delete the weights of earlier best values, which no checkpoint needs any more."""
        if self.run.trainer.keep == "best":
            best = kept.best_step(self.evaluator.evaluations)
            kept.remove(self.directory, lambda step: step != best)

    def _write_pictures(self) -> None:
        self.guard()
        self.recorder.write_pictures(self.pack, self.k, self.step)
