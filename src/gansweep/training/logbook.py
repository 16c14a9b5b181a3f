"""Evaluation, curves, pictures, checkpoints and record of one member during training."""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from gansweep import device as devices
from gansweep.batched.divergence import Divergence
from gansweep.batched.pack import Pack, Report
from gansweep.dynamics.position import Both
from gansweep.interfaces import Metric
from gansweep.metrics.degenerate import degenerate
from gansweep.training import checkpoint, diagnosis, record, samples
from gansweep.training.atomic import unguarded
from gansweep.training.content import record_of
from gansweep.training.diagnosis import Diagnosis
from gansweep.training.intervals import Timetable
from gansweep.training.run import Run
from gansweep.training.run_logger import Everyone, Journal
from gansweep.training.tensorboard import Board, results

log = logging.getLogger(__name__)


def silent(step: int, total_steps: int, text: str) -> None:
    """Ignore the progress."""


class Logbook:
    """Evaluations, curves, pictures, checkpoints and the final record of one member.

    A logbook is constructed once and may be used with several packs. Between two packs it holds the complete state
    of the member. The constructor loads the directory's checkpoint, if there is one.

    Args:
        run: the run.
        directory: of the cell.
        progress: called with (step, total steps, text of the newest metric value) after every step.
        journal: destination of log messages about this member.
        guard: called before every write; raises if this process must not write there any more.

    Raises:
        ResumeError: the directory holds the checkpoint of another training.
    """

    def __init__(
        self,
        run: Run,
        directory: Path,
        progress: Callable[[int, int, str], None] = silent,
        journal: Journal | None = None,
        guard: Callable[[], None] = unguarded,
    ) -> None:
        self.run, self.directory, self.progress, self.guard = run, directory, progress, guard
        self.timetable = Timetable(run.trainer, run.steps)
        self.journal = journal or Everyone()
        self.pack: Pack
        self.k = 0
        self.evaluations: list[dict[str, Any]] = []
        self.started = datetime.now(timezone.utc).isoformat(timespec="seconds")
        self.wall_s = self.eval_s = self.trained_s = 0.0
        self.trained_at: list[dict[str, Any]] = []  # training time at every evaluation
        self.step, self.num_together = 0, 1
        self.packing: Mapping[str, Any] = {}  # how the pack size was chosen, for the record
        self.divergence: Divergence | None = None
        self.error: BaseException | None = None
        self.device = devices.resolve(run.device)
        directory.mkdir(parents=True, exist_ok=True)
        # A divergence is detected at most `check_every` steps after it occurs.
        self._recent: deque[Report] = deque(maxlen=run.trainer.check_every)
        self._member: dict[str, Any] | None = None
        self.diagnoses: list[dict[str, Any]] = []
        self._field: Both | None = None  # at the last diagnosis
        self.kept: list[dict[str, Any]] = []  # values recorded by the algorithm
        saved = checkpoint.load(directory, run.identity, self.device, partial(resumable, run))
        if saved is not None:
            self._member, self.step = saved["member"], saved["member"]["step"]
            self.evaluations, self.started = saved["evaluations"], saved["started"]
            self.wall_s, self.eval_s = saved["wall_s"], saved["eval_s"]
            self.trained_s, self.trained_at = _trained(saved)
            self.kept = saved.get("curves", [])
            if "field" in saved and run.trainer.diagnose_every is not None:
                self.diagnoses, self._field = saved["diagnoses"], Both(*((part,) for part in saved["field"]))
            log.info("continuing from step %d of %d", self.step, run.steps)
        self._since = self._saved_at = time.monotonic()
        self.board: Board | None = None
        if run.trainer.tensorboard:
            name = str(run.cell.get("name", directory.name))
            self.board = Board(directory, self.step, self._hparams(), name)

    @property
    def open(self) -> bool:
        """Whether the member has steps left to train and has neither diverged nor failed."""
        return self.divergence is None and self.error is None and self.step < self.run.steps

    def enter(self, pack: Pack, k: int, num_together: int) -> None:
        """Become the k-th member of a pack and continue from the member's state."""
        self.guard()
        self.pack, self.k, self.num_together = pack, k, num_together
        self._recent.clear()
        if self._member is not None:
            pack.restore(k, self._member)
            self._member = None
        elif self.step == 0:
            self._evaluate()
            self._picture()

    def leave(self) -> None:
        """Export the member from its pack, to continue in another one."""
        self._member = self.pack.export(self.k)

    def due(self, report: Report) -> bool:
        """Return whether divergence has to be read after this step."""
        return self.timetable.anything(self._step_of(report))

    def diverged(self, divergence: Divergence) -> None:
        """End the run as diverged. The evaluations so far remain; there is no final value."""
        self.divergence, self.step = divergence, divergence.step
        self._draw_last()
        log.warning("diverged at step %d: %s: %s", divergence.step, divergence.player, divergence.cause)

    def draw(self, report: Report) -> None:
        """Add a point to the curves if one is due, whether finite or not."""
        self.step = self._step_of(report)
        self._recent.append(report)
        if self.timetable.point(self.step):
            self.guard()
            self._keep()
            if self.board:
                self.board.scalars(self._curves(report), self.step)

    def _keep(self) -> None:
        """Append the values recorded by the algorithm, None for those that are not finite."""
        values = self.pack.kept(self.k)
        if not values:
            return
        self.kept.append({"step": self.step, **finite(values)})
        if self.board:
            self.board.scalars({f"kept/{name}": value for name, value in values.items()}, self.step)

    def _draw_last(self) -> None:
        """Add the step of the divergence to the curves, even if no point is due.

        Rates and scheduled settings are left out, because they may already be those of a later step.
        """
        if self.board is None or self.timetable.point(self.step):
            return
        for report in self._recent:
            if self._step_of(report) == self.step:
                curves = self._curves(report)
                unscheduled = {
                    tag: value for tag, value in curves.items() if not tag.startswith(("rate/", "schedule/"))
                }
                self.board.scalars(unscheduled, self.step)

    def wants_diagnosis(self, report: Report) -> bool:
        """Return whether a diagnosis of this member is due after this step."""
        return self.divergence is None and self.error is None and self.timetable.diagnosis(self._step_of(report))

    def diagnosed(self, diagnosis_of_pack: Diagnosis) -> None:
        """Append this member's row of a diagnosis."""
        row = self.pack.place[self.k]
        numbers, field = diagnosis_of_pack.of(row, self._field), diagnosis_of_pack.field
        self._field = field.map(lambda part: part[row : row + 1].clone())
        self.diagnoses.append({"step": self.step, **numbers})
        if self.board:
            self.board.scalars(diagnosis.curves(numbers), self.step)

    def note(self) -> None:
        """Evaluate, write pictures and save a checkpoint if due after a step. Not called for a diverged member."""
        if self.timetable.evaluation(self.step):
            self._evaluate()
        if self.divergence is None:
            if self.timetable.picture(self.step):
                self._picture()
            late = time.monotonic() - self._saved_at > 60 * self.run.trainer.checkpoint_minutes
            if late or self.timetable.checkpoint(self.step):
                self.save()
        self.progress(self.step, self.run.steps, self._newest())

    def save(self) -> None:
        """Write a checkpoint. If it can't be written, a warning is logged and the run continues."""
        self.guard()
        if self.board:
            self.board.flush()
        content = {
            "member": self.pack.export(self.k) if self._member is None else self._member,
            "evaluations": self.evaluations,
            "started": self.started,
            "wall_s": self.elapsed(),
            "eval_s": self.eval_s,
            "trained_s": self.trained_s,
            "trained_at": self.trained_at,
        }
        if self.kept:
            content |= {"curves": self.kept}
        if self._field is not None:
            content |= {"diagnoses": self.diagnoses, "field": list(self._field.parts)}
        try:
            checkpoint.save(self.directory, self.run.identity, content, self.guard)
        except OSError as error:
            log.warning("no checkpoint at step %d: %s; the run continues", self.step, error)
        self._saved_at = time.monotonic()

    def close(self) -> dict[str, Any]:
        """Write the record and return it.

        Raises:
            OSError: it can't be written. The checkpoint remains and the run can be finished later.
        """
        content = record_of(self)
        self.guard()
        if self.board:
            self.board.close()
            self.board.end(self.divergence is None, results(content), self.step)
            if self.divergence is not None:  # remove the steps between divergence and detection
                self.board.forget_after(self.divergence.step)
        record.write(self.directory, content, self.guard)
        checkpoint.remove(self.directory)
        self.journal.close()
        return content

    def abandon(self) -> None:
        """Log the exception of a failed member and close its files."""
        log.error("failed at step %d", self.step, exc_info=self.error)
        self.drop()

    def interrupt(self) -> None:
        """Save a checkpoint and close the files, to continue later."""
        self.save()
        log.info("stopped after step %d, can be continued", self.step)
        self.drop()

    def drop(self) -> None:
        """Close the files without saving. The last checkpoint remains."""
        if self.board:
            self.board.close()
        self.journal.close()

    def _step_of(self, report: Report) -> int:
        return report.steps[self.pack.place[self.k]]

    def _newest(self) -> str:
        if not self.evaluations or self.run.metric is None or self.evaluations[-1]["value"] is None:
            return ""
        return f"{self.run.metric.name} {self.evaluations[-1]['value']:.4g}"

    def _evaluate(self) -> None:
        step, metric, start = self.step, self.run.metric, time.monotonic()
        if metric is None:
            return
        self.trained_at.append({"step": step, "trained_s": round(self.trained_s, 3)})
        fake = self.pack.generate(self.k, metric.num_samples, "evaluation")
        if not bool(fake.isfinite().all()):
            self.evaluations.append({"step": step, "value": None, "reason": "samples are not finite"})
            self.diverged(Divergence(step, "generator", "samples are not finite"))
            return
        value = float(metric(self.run.data, fake))
        evaluation: dict[str, Any] = {"step": step, "value": value if math.isfinite(value) else None}
        if evaluation["value"] is None:
            evaluation["reason"] = f"{metric.name} is {value}"
            log.warning("step %d: %s", step, evaluation["reason"])
        if step > 0 and record.is_best(value, self.evaluations, metric.lower_is_better):
            evaluation["apart"] = self._measure(metric, "evaluation apart")
        if self.run.metric_2 is not None:
            evaluation["value_2"] = self._measure(self.run.metric_2, "evaluation")
            if evaluation["value_2"] is None:
                evaluation["reason_2"] = f"{self.run.metric_2.name} is not finite"
        measured = self.pack.measured(self.k)
        if measured:
            evaluation["measured"] = finite(measured)
        self.evaluations.append(evaluation)
        what = degenerate(fake)
        if what is not None:
            self.evaluations[-1]["degenerate"] = what
            reported = any(before.get("degenerate") == what for before in self.evaluations[:-1] if before["step"] > 0)
            expected = self.pack.g.network.ignores_input or degenerate(self.run.data.samples[: len(fake)]) == what
            # Warn once, and only about a trained generator.
            if step > 0 and not reported and not expected:
                log.warning("step %d: %s", step, what)
        if self.run.hears_metric and step < self.run.steps:
            self._steer(metric)
        self.eval_s += time.monotonic() - start
        log.info("step %d: %s %.4g", step, metric.name, value)
        if self.board:
            self.board.scalars({f"metric/{metric.name}": value} | self._further_values(evaluation), step)

    def _measure(self, metric: Metric, stream: str) -> float | None:
        """Return a metric of samples from the latents of a stream, None if the samples or the value are not finite."""
        fake = self.pack.generate(self.k, metric.num_samples, stream)
        if not bool(fake.isfinite().all()):
            return None
        value = float(metric(self.run.data, fake))
        return value if math.isfinite(value) else None

    def _further_values(self, evaluation: Mapping[str, Any]) -> dict[str, float]:
        """Return the values of an evaluation other than the metric by tag."""
        curves = {f"measured/{name}": value for name, value in evaluation.get("measured", {}).items()}
        if self.run.metric_2 is not None:
            curves[f"metric/{self.run.metric_2.name}"] = evaluation["value_2"]
        return {tag: value for tag, value in curves.items() if value is not None}

    def _steer(self, metric: Metric) -> None:
        """Update the member's feedback with a metric value from other latents than those of the reported value."""
        fake = self.pack.generate(self.k, metric.num_samples, "feedback")
        if not bool(fake.isfinite().all()):
            self.diverged(Divergence(self.step, "generator", "samples are not finite"))
            return
        value = float(metric(self.run.data, fake))
        self.pack.tell(self.k, value, metric.lower_is_better)
        self.evaluations[-1]["heard"] = value if math.isfinite(value) else None

    def _picture(self) -> None:
        """Write sample grids of the generator and further samples of the algorithm."""
        self.guard()
        size = samples.NUM_SAMPLES if len(self.run.data.sample_shape) == 3 else 2048
        for name, shown in ({"samples": self.pack.pictured(self.k, size)} | self.pack.pictures(self.k)).items():
            picture, path = samples.grid(shown), self.directory / name / f"step_{self.step:07d}.png"
            samples.save(path, picture)
            if shown.ndim == 2:
                samples.save_points(path.with_suffix(".npz"), shown)
            if self.board:
                self.board.picture(name, picture, self.step)

    def _curves(self, report: Report) -> dict[str, float]:
        """Return the member's values of a step by tag. Synchronises with the device."""
        return {tag: float(value) for tag, value in self.pack.curves(report, self.k).items()}

    def _hparams(self) -> dict[str, Any]:
        return dict(self.run.cell.get("overrides", {})) | {"seed": self.run.member.seed}

    def elapsed(self) -> float:
        """Return the wall time of the run in seconds, including the time before an interruption."""
        return self.wall_s + time.monotonic() - self._since


def finite(values: Mapping[str, float]) -> dict[str, float | None]:
    """Return values by name, None for those that are not finite."""
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def resumable(run: Run, saved: Mapping[str, Any]) -> None:
    """Load a checkpoint's member into a separate pack, to check that the run can be continued from it.

    Raises:
        Exception: it can't be restored.
    """
    pack = run.algorithm.pack([run], run.data.samples.to(devices.resolve(run.device)))
    checkpoint.check(saved, run.steps, pack.export(0))
    pack.restore(0, saved["member"])


def _trained(saved: Mapping[str, Any]) -> tuple[float, list[dict[str, Any]]]:
    """Return a checkpoint's training time, in total and at its evaluations; an estimate for old checkpoints."""
    if "trained_s" in saved:
        return saved["trained_s"], saved["trained_at"]
    trained_s, steps = saved["wall_s"] - saved["eval_s"], max(saved["member"]["step"], 1)
    at = [e["step"] for e in saved["evaluations"]]
    return trained_s, [{"step": step, "trained_s": round(trained_s * step / steps, 3)} for step in at]
