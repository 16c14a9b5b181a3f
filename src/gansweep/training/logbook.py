"""What is measured, shown and kept of one member while its pack trains."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from gansweep import device as devices
from gansweep.training import checkpoint, record, samples
from gansweep.training.divergence import Divergence
from gansweep.training.pack import Pack, Report
from gansweep.training.run import Run
from gansweep.training.tensorboard import Board

log = logging.getLogger(__name__)


class Logbook:
    """Evaluations, curves, pictures, checkpoints and at last the record of one member.

    Opening it continues from the directory's checkpoint, if there is one.

    Args:
        run: what is trained.
        directory: of the cell.
        pack: where the member trains.
        k: which of its members it is.

    Raises:
        ResumeError: the directory holds the checkpoint of another training.
    """

    def __init__(self, run: Run, directory: Path, pack: Pack, k: int) -> None:
        self.run, self.directory, self.pack, self.k = run, directory, pack, k
        self.evaluations: list[dict[str, Any]] = []
        self.started = datetime.now(timezone.utc).isoformat(timespec="seconds")
        self.wall_s = self.eval_s = 0.0
        self.divergence: Divergence | None = None
        directory.mkdir(parents=True, exist_ok=True)
        saved = checkpoint.load(directory, run.identity, pack.device)
        if saved is not None:
            pack.restore(k, saved["member"])
            self.evaluations, self.started = saved["evaluations"], saved["started"]
            self.wall_s, self.eval_s = saved["wall_s"], saved["eval_s"]
            log.info("continuing from step %d of %d", pack.step, run.steps)
        self._since = self._saved_at = time.monotonic()
        self.board: Board | None = None
        if run.trainer.tensorboard:
            self.board = Board(directory, pack.step, self._hparams(), str(run.cell.get("name", directory.name)))
        if saved is None:
            self._evaluate(0)
            self._picture(0)

    @property
    def open(self) -> bool:
        """Whether the member still trains."""
        return self.divergence is None

    def due(self, step: int) -> bool:
        """Tell whether after this step something is written that a diverged run must not have."""
        t = self.run.trainer
        every = (t.eval_every, t.sample_every, t.checkpoint_every, t.check_every)
        return step == self.run.steps or any(step % n == 0 for n in every)

    def diverged(self, divergence: Divergence) -> None:
        """End here. The evaluations so far remain; there will be no final value."""
        self.divergence = divergence
        log.warning("diverged at step %d: %s: %s", divergence.step, divergence.player, divergence.cause)

    def note(self, report: Report) -> None:
        """Do what is due after a step."""
        step, t = report.step, self.run.trainer
        last = step == self.run.steps
        if self.board and (last or step % t.log_every == 0):
            self.board.scalars(self._curves(report), step)
        if last or step % t.eval_every == 0:
            self._evaluate(step)
        if self.open and (last or step % t.sample_every == 0):
            self._picture(step)
        late = time.monotonic() - self._saved_at > 60 * t.checkpoint_minutes
        if self.open and (last or late or step % t.checkpoint_every == 0):
            self.save()

    def save(self) -> None:
        """Write a checkpoint. A disk that does not take it is told of and does not end the run."""
        if self.board:
            self.board.flush()
        content = {
            "member": self.pack.export(self.k),
            "evaluations": self.evaluations,
            "started": self.started,
            "wall_s": self._elapsed(),
            "eval_s": self.eval_s,
        }
        try:
            checkpoint.save(self.directory, self.run.identity, content)
        except OSError as error:
            log.warning("no checkpoint at step %d: %s; the run goes on", self.pack.step, error)
        self._saved_at = time.monotonic()

    def close(self) -> dict[str, Any]:
        """Write the record and return it.

        Raises:
            OSError: it can't be written; the checkpoint remains and the run can be finished later.
        """
        if self.board:
            self.board.close(finished=self.divergence is None)
        content = self._record()
        record.write(self.directory, content)
        checkpoint.remove(self.directory)
        return content

    def interrupt(self) -> None:
        """Save and close, to go on later."""
        self.save()
        if self.board:
            self.board.close()

    def _evaluate(self, step: int) -> None:
        metric, start = self.run.metric, time.monotonic()
        if metric is None:
            return
        fake = self.pack.generate(self.k, metric.num_samples, "evaluation")
        if not bool(fake.isfinite().all()):
            self.diverged(Divergence(step, "generator", "samples are not finite"))
            return
        value = float(metric(self.run.data, fake))
        self.evaluations.append({"step": step, "value": value})
        self.eval_s += time.monotonic() - start
        log.info("step %d: %s %.4g", step, metric.name, value)
        if self.board:
            self.board.scalars({f"metric/{metric.name}": value}, step)

    def _picture(self, step: int) -> None:
        size = samples.NUM_SAMPLES if len(self.run.data.sample_shape) == 3 else 2048
        picture = samples.grid(self.pack.generate(self.k, size, "pictures"))
        samples.save(self.directory / "samples" / f"step_{step:07d}.png", picture)
        if self.board:
            self.board.picture("samples", picture, step)

    def _curves(self, report: Report) -> dict[str, float]:
        """Name the member's numbers of a step; reading them waits for the device."""
        row, d = self.pack.place[self.k], report.discriminator
        names = sorted(self.run.member.objective.penalties)
        curves = {
            "loss/discriminator": d.loss,
            "loss/generator": report.generator_loss,
            "discriminator on real": d.real,
            "discriminator on fake": d.fake,
            "gradient norm/discriminator": report.discriminator_gradient,
            "gradient norm/generator": report.generator_gradient,
            "rate/discriminator": self.pack.d.lr[:, 0],
            "rate/generator": self.pack.g.lr[:, 0],
        } | {f"penalty/{name}": value for name, value in zip(names, d.penalties, strict=False)}
        return {tag: float(value[row]) for tag, value in curves.items()}

    def _hparams(self) -> dict[str, Any]:
        return dict(self.run.cell.get("overrides", {})) | {"seed": self.run.member.seed}

    def _elapsed(self) -> float:
        return self.wall_s + time.monotonic() - self._since

    def _record(self) -> dict[str, Any]:
        run, wall_s = self.run, self._elapsed()
        steps = self.divergence.step if self.divergence else self.pack.step
        metric = None
        if run.metric is not None:
            floor = getattr(run.metric, "floor", None)
            metric = {
                "name": run.metric.name,
                "fingerprint": run.metric.fingerprint(run.data),
                "lower_is_better": run.metric.lower_is_better,
                "evaluations": self.evaluations,
                "floor": floor(run.data) if floor else None,
            } | record.summary(self.evaluations)
            if self.divergence:
                metric |= {"final": None, "final_step": None}
        return {
            "format": record.FORMAT,
            "state": "diverged" if self.divergence else "completed",
            "cell": dict(run.cell),
            "config": dict(run.config),
            "identity": dict(run.identity),
            "steps": steps,
            "metric": metric,
            "divergence": self.divergence.as_dict() if self.divergence else None,
            "error": None,
            "seeds": {"member": run.member.seed},
            "versions": record.versions(),
            "device": devices.describe(self.pack.device, run.precision, run.threads),
            "time": {
                "started": self.started,
                "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
                "wall_s": round(wall_s, 3),
                "steps_per_s": round(steps / max(wall_s - self.eval_s, 1e-9), 3),
                "eval_s": round(self.eval_s, 3),
            },
        }
