"""Output of one run while it trains: curves, pictures, diagnoses, loggers, and the content of record.json."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from gansweep import device as devices
from gansweep.batched.divergence import Divergence
from gansweep.batched.pack import Pack, Report
from gansweep.dynamics.position import Both
from gansweep.training import diagnosis, record, samples
from gansweep.training.evaluator import Evaluator, finite
from gansweep.training.loggers import Loggers
from gansweep.training.run import Run


class RunRecorder:
    """Curves, pictures and diagnoses of one run, written to its directory and to the loggers.

    Args:
        run: the run.
        header: the fields of its record that describe the cell.
        directory: of the cell.
        step: first step of the run, or step from which it continues.

    Attributes:
        curves: values recorded by the algorithm (field `curves` of the record).
        diagnoses: of the game's vector field (field `diagnostics`).
        field: vector field at the last diagnosis.
    """

    def __init__(self, run: Run, header: record.Header, directory: Path, step: int) -> None:
        self.run, self.header, self.directory = run, header, directory
        self.curves: list[dict[str, Any]] = []
        self.diagnoses: list[dict[str, Any]] = []
        self.field: Both | None = None
        # A divergence is detected at most `check_every` steps after it occurs.
        self._recent: deque[tuple[int, Report]] = deque(maxlen=run.trainer.check_every)
        self._loggers = Loggers(run, header, directory, step)

    def enter_pack(self) -> None:
        """Discard the reports of the previous pack."""
        self._recent.clear()

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Add a point to each curve of the loggers."""
        if values:
            self._loggers.scalars(values, step)

    def record_step(self, pack: Pack, k: int, report: Report, step: int, due: bool) -> None:
        """Store the report of a step, and add a point to all curves if one is due, whether finite or not."""
        self._recent.append((step, report))
        if not due:
            return
        values = pack.read_custom_scalars(report, k)
        if values:
            self.curves.append({"step": step, **finite(values)})
            self.scalars({f"kept/{name}": value for name, value in values.items()}, step)
        if self._loggers:
            self.scalars(pack.read_curves(report, k), step)

    def record_divergence(self, pack: Pack, k: int, step: int) -> None:
        """Add the step of the divergence to the curves.

        Rates and scheduled settings are left out, because they may already be those of a later step.
        """
        for recent, report in self._recent if self._loggers else ():
            if recent == step:
                values = pack.read_curves(report, k)
                self.scalars({t: v for t, v in values.items() if not t.startswith(("rate/", "schedule/"))}, step)

    def record_diagnosis(self, numbers: Mapping[str, Any], step: int) -> None:
        """Append the values of a diagnosis of this member, by name."""
        self.diagnoses.append({"step": step, **numbers})
        self.scalars(diagnosis.curves(numbers), step)

    def write_pictures(self, pack: Pack, k: int, step: int) -> None:
        """Write sample grids of the generator and further samples of the algorithm.

        TensorBoard shows real samples on the right of each.
        """
        size = samples.NUM_SAMPLES if len(self.run.data.sample_shape) == 3 else 2048
        for name, shown in ({"samples": pack.sample_grid(k, size)} | pack.pictures(k)).items():
            picture, path = samples.grid(shown), self.directory / name / f"step_{step:07d}.png"
            samples.save(path, picture)
            if shown.ndim == 2:
                samples.save_points(path.with_suffix(".npz"), shown)
            if self._loggers:
                real = self.run.data.samples[: len(shown)]
                tag = f"samples/{'generated, real (right)' if name == 'samples' else name}"
                self._loggers.picture(tag, samples.beside_real(picture, shown, real), step)

    def flush(self) -> None:
        """Write the points of all loggers to disk, before a checkpoint is written."""
        self._loggers.flush()

    def close(self) -> None:
        """Close the loggers of a run that failed or is continued later."""
        self._loggers.close()

    def finish(self, content: Mapping[str, Any]) -> None:
        """Close the loggers with the record of the run."""
        self._loggers.close(content)

    def content(
        self,
        evaluator: Evaluator,
        divergence: Divergence | None,
        step: int,
        pack: Mapping[str, Any],
        started: str,
        wall_s: float,
        dropped: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the record of a run that has ended: settings, results, versions, hardware and times.

        `dropped` is the field of that name of a run that was dropped by a race.
        """
        run = self.run
        device = devices.resolve(run.device)
        last = divergence.step if divergence else step  # a divergence may be detected later
        curves = [point for point in self.curves if point["step"] <= last]
        content = {
            "format": record.FORMAT,
            "state": "diverged" if divergence else "dropped" if dropped else "completed",
            **vars(self.header),
            "steps": step,
            **evaluator.summary(divergence is not None or dropped is not None),
            **({} if run.trainer.diagnose_every is None else {"diagnostics": self.diagnoses}),
            **({"curves": curves} if curves else {}),
            "divergence": divergence.as_dict() if divergence else None,
            **({"dropped": dict(dropped)} if dropped else {}),
            "error": None,
            "seeds": {"member": run.member.seed},
            "versions": record.versions(),
            "device": devices.describe(device, run.precision, run.threads),
            "pack": dict(pack),
            "time": {
                "started": started,
                "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
                "wall_s": round(wall_s, 3),
                "steps_per_s": round(step / max(wall_s - evaluator.eval_s, 1e-9), 3),
                "eval_s": round(evaluator.eval_s, 3),
                **({"evaluations": evaluator.trained_at} if evaluator.trained_at else {}),
                "memory_bytes": devices.peak_memory_bytes(device),
            },
        }
        return record.in_json(content)
