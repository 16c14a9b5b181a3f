"""What is measured, shown and kept of one member while its pack trains."""

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
    """Say nothing."""


class Logbook:
    """Evaluations, curves, pictures, checkpoints and at last the record of one member.

    A logbook is opened once and may see several packs: between two it holds all that the
    member is. Opening it continues from the directory's checkpoint, if there is one.

    Args:
        run: what is trained.
        directory: of the cell.
        progress: told (step, total steps, newest metric value in words) after every step.
        journal: where messages about this member go.
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
        self.trained_at: list[dict[str, Any]] = []  # how long it had trained, for every evaluation
        self.step, self.num_together = 0, 1
        self.packing: Mapping[str, Any] = {}  # how it came to be so many, for the record
        self.divergence: Divergence | None = None
        self.error: BaseException | None = None
        self.device = devices.resolve(run.device)
        directory.mkdir(parents=True, exist_ok=True)
        # A divergence is noticed at most so many steps after it.
        self._recent: deque[Report] = deque(maxlen=run.trainer.check_every)
        self._member: dict[str, Any] | None = None
        self.diagnoses: list[dict[str, Any]] = []
        self._field: Both | None = None  # at the last diagnosis
        self.kept: list[dict[str, Any]] = []  # the algorithm's own numbers
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
        """Whether the member still has something to train."""
        return self.divergence is None and self.error is None and self.step < self.run.steps

    def enter(self, pack: Pack, k: int, num_together: int) -> None:
        """Take the place of a pack's k-th member, going on from where the member was."""
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
        """Take the member out of its pack, to go on in another."""
        self._member = self.pack.export(self.k)

    def due(self, report: Report) -> bool:
        """Tell whether after this step something is written that a diverged run must not have."""
        return self.timetable.anything(self._step_of(report))

    def diverged(self, divergence: Divergence) -> None:
        """End here. The evaluations so far remain; there will be no final value."""
        self.divergence, self.step = divergence, divergence.step
        self._draw_last()
        log.warning("diverged at step %d: %s: %s", divergence.step, divergence.player, divergence.cause)

    def draw(self, report: Report) -> None:
        """Add a point to the curves where one is due, be it finite or not."""
        self.step = self._step_of(report)
        self._recent.append(report)
        if self.timetable.point(self.step):
            self.guard()
            self._keep()
            if self.board:
                self.board.scalars(self._curves(report), self.step)

    def _keep(self) -> None:
        """Keep the algorithm's own numbers, None for those that are not finite."""
        found = self.pack.kept(self.k)
        if not found:
            return
        self.kept.append({"step": self.step, **finite(found)})
        if self.board:
            self.board.scalars({f"kept/{name}": value for name, value in found.items()}, self.step)

    def _draw_last(self) -> None:
        """Add the step of the divergence to the curves, wherever their points lie.

        Without rates and what else follows a schedule, which may be those of a later step by now.
        """
        if self.board is None or self.timetable.point(self.step):
            return
        for report in self._recent:
            if self._step_of(report) == self.step:
                curves = self._curves(report)
                known = {tag: value for tag, value in curves.items() if not tag.startswith(("rate/", "schedule/"))}
                self.board.scalars(known, self.step)

    def wants_diagnosis(self, report: Report) -> bool:
        """Tell whether the game is to be looked at after this step."""
        return self.divergence is None and self.error is None and self.timetable.diagnosis(self._step_of(report))

    def diagnosed(self, found: Diagnosis) -> None:
        """Keep what was seen of this member's game."""
        row = self.pack.place[self.k]
        numbers, field = found.of(row, self._field), found.field
        self._field = field.map(lambda part: part[row : row + 1].clone())
        self.diagnoses.append({"step": self.step, **numbers})
        if self.board:
            self.board.scalars(diagnosis.curves(numbers), self.step)

    def note(self) -> None:
        """Do what else is due after a step of a member that has not diverged."""
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
        """Write a checkpoint. A disk that does not take it is told of and does not end the run."""
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
            log.warning("no checkpoint at step %d: %s; the run goes on", self.step, error)
        self._saved_at = time.monotonic()

    def close(self) -> dict[str, Any]:
        """Write the record and return it.

        Raises:
            OSError: it can't be written; the checkpoint remains and the run can be finished later.
        """
        content = record_of(self)
        self.guard()
        if self.board:
            self.board.close()
            self.board.end(self.divergence is None, results(content), self.step)
            if self.divergence is not None:  # how late it was noticed is no part of the result
                self.board.forget_after(self.divergence.step)
        record.write(self.directory, content, self.guard)
        checkpoint.remove(self.directory)
        self.journal.close()
        return content

    def abandon(self) -> None:
        """Close the files of a member about which something raised."""
        log.error("failed at step %d", self.step, exc_info=self.error)
        self.drop()

    def interrupt(self) -> None:
        """Save and close, to go on later."""
        self.save()
        log.info("stopped after step %d, can be continued", self.step)
        self.drop()

    def drop(self) -> None:
        """Close the files. The last checkpoint stays, to go on from there."""
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
        found: dict[str, Any] = {"step": step, "value": value if math.isfinite(value) else None}
        if found["value"] is None:
            found["reason"] = f"{metric.name} is {value}"
            log.warning("step %d: %s", step, found["reason"])
        if step > 0 and record.is_best(value, self.evaluations, metric.lower_is_better):
            found["apart"] = self._measure(metric, "evaluation apart")
        if self.run.metric_2 is not None:
            found["value_2"] = self._measure(self.run.metric_2, "evaluation")
            if found["value_2"] is None:
                found["reason_2"] = f"{self.run.metric_2.name} is not finite"
        measured = self.pack.measured(self.k)
        if measured:
            found["measured"] = finite(measured)
        self.evaluations.append(found)
        what = degenerate(fake)
        if what is not None:
            self.evaluations[-1]["degenerate"] = what
            told = any(before.get("degenerate") == what for before in self.evaluations[:-1] if before["step"] > 0)
            by_nature = self.pack.g.network.ignores_input or degenerate(self.run.data.samples[: len(fake)]) == what
            # Of a trained generator, once: it stays so, or does not matter.
            if step > 0 and not told and not by_nature:
                log.warning("step %d: %s", step, what)
        if self.run.hears_metric and step < self.run.steps:
            self._steer(metric)
        self.eval_s += time.monotonic() - start
        log.info("step %d: %s %.4g", step, metric.name, value)
        if self.board:
            self.board.scalars({f"metric/{metric.name}": value} | self._beside(found), step)

    def _measure(self, metric: Metric, stream: str) -> float | None:
        """Return a metric of samples from the latents of a stream, None if they or it are not finite."""
        fake = self.pack.generate(self.k, metric.num_samples, stream)
        if not bool(fake.isfinite().all()):
            return None
        value = float(metric(self.run.data, fake))
        return value if math.isfinite(value) else None

    def _beside(self, found: Mapping[str, Any]) -> dict[str, float]:
        """Name the curves of what an evaluation found besides the metric."""
        curves = {f"measured/{name}": value for name, value in found.get("measured", {}).items()}
        if self.run.metric_2 is not None:
            curves[f"metric/{self.run.metric_2.name}"] = found["value_2"]
        return {tag: value for tag, value in curves.items() if value is not None}

    def _steer(self, metric: Metric) -> None:
        """Tell the member's feedback a value of other latents than the reported one's."""
        fake = self.pack.generate(self.k, metric.num_samples, "feedback")
        if not bool(fake.isfinite().all()):
            self.diverged(Divergence(self.step, "generator", "samples are not finite"))
            return
        heard = float(metric(self.run.data, fake))
        self.pack.tell(self.k, heard, metric.lower_is_better)
        self.evaluations[-1]["heard"] = heard if math.isfinite(heard) else None

    def _picture(self) -> None:
        """Show what the generator makes, and what the algorithm has to show beside."""
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
        """Name the member's numbers of a step; reading them waits for the device."""
        return {tag: float(value) for tag, value in self.pack.curves(report, self.k).items()}

    def _hparams(self) -> dict[str, Any]:
        return dict(self.run.cell.get("overrides", {})) | {"seed": self.run.member.seed}

    def elapsed(self) -> float:
        """Return the seconds that the run has taken so far, those before an interruption among them."""
        return self.wall_s + time.monotonic() - self._since


def finite(values: Mapping[str, float]) -> dict[str, float | None]:
    """Return numbers by name, None for those that are not finite."""
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def resumable(run: Run, saved: Mapping[str, Any]) -> None:
    """Load a checkpoint's member into a pack of its own, to see whether the run can go on from it.

    Raises:
        Exception: whatever is wrong with it.
    """
    pack = run.algorithm.pack([run], run.data.samples.to(devices.resolve(run.device)))
    checkpoint.check(saved, run.steps, pack.export(0))
    pack.restore(0, saved["member"])


def _trained(saved: Mapping[str, Any]) -> tuple[float, list[dict[str, Any]]]:
    """Return how long a checkpoint's training had lasted, and had at its evaluations; of an old one, about."""
    if "trained_s" in saved:
        return saved["trained_s"], saved["trained_at"]
    trained_s, steps = saved["wall_s"] - saved["eval_s"], max(saved["member"]["step"], 1)
    at = [e["step"] for e in saved["evaluations"]]
    return trained_s, [{"step": step, "trained_s": round(trained_s * step / steps, 3)} for step in at]
