"""Output of one run while it trains: curves, pictures, diagnoses, loggers, and the content of record.json."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from gansweep import device as devices
from gansweep.batched.divergence import Divergence
from gansweep.batched.pack import Pack, Report
from gansweep.dynamics.position import Both
from gansweep.formatting import first_line
from gansweep.interfaces import LoggedRun, Logger, LoggerSettings
from gansweep.training import diagnosis, record, samples
from gansweep.training.evaluator import Evaluator, finite
from gansweep.training.record import Header
from gansweep.training.run import Run
from gansweep.training.tensorboard import TensorBoard
from gansweep.user_code import exits_raise

log = logging.getLogger(__name__)

SEEDS = re.compile(r"(^|,)seed(_init|_data|_noise)?=[^,]*")
HEX_DIGITS = 8


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


class Loggers:
    """All loggers of one run. A logger that raises an exception is reported once and not used any more.

    Each logger gets its own copies, so that what it changes reaches neither the record nor the other loggers.

    Args:
        run: the run; `trainer.tensorboard=false` leaves TensorBoard out.
        header: the fields of its record that describe the cell.
        directory: of the cell.
        step: first step of the run, or step from which it continues.
    """

    def __init__(self, run: Run, header: Header, directory: Path, step: int) -> None:
        chosen = [one for one in run.loggers if run.trainer.tensorboard or not isinstance(one, TensorBoard)]
        about = logged_run(run, header, directory, step)
        self._loggers: list[tuple[str, Logger]] = []
        for settings in chosen:
            self._open(settings, about)

    def _open(self, settings: LoggerSettings, about: LoggedRun) -> None:
        name = type(settings).__name__
        try:
            with exits_raise():
                own = about._replace(settings=deepcopy(about.settings), config=deepcopy(about.config))
                self._loggers.append((name, settings.open(own)))
        except (Exception, SystemExit) as error:
            _report(name, about.name, error)

    def __bool__(self) -> bool:
        """Return whether there is a logger that works."""
        return bool(self._loggers)

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Add one point to each curve."""
        self._call(lambda logger: logger.scalars(dict(values), step))

    def picture(self, tag: str, picture: Tensor, step: int) -> None:
        """Add a picture (3, h, w) in [0, 1]."""
        self._call(lambda logger: logger.picture(tag, picture.clone(), step))

    def flush(self) -> None:
        """Write everything to disk, before a checkpoint is written."""
        self._call(lambda logger: getattr(logger, "flush", bool)())

    def close(self, record: Mapping[str, Any] | None = None) -> None:
        """Close all loggers; `record` is that of the ended run."""
        self._call(lambda logger: logger.close(deepcopy(record)))

    def _call(self, call: Callable[[Logger], object]) -> None:
        for entry in list(self._loggers):
            name, logger = entry
            try:
                with exits_raise():
                    call(logger)
            except (Exception, SystemExit) as error:
                self._loggers = [other for other in self._loggers if other is not entry]
                _report(name, "", error)


def _report(name: str, cell: str, error: BaseException) -> None:
    where = f" of {cell}" if cell else ""
    what = f"{type(error).__name__}: {first_line(error)}"
    log.warning("The logger %s%s failed (%s); the run continues without it", name, where, what)


def logged_run(run: Run, header: Header, directory: Path, step: int) -> LoggedRun:
    """Return what loggers know about a run; a run outside of a sweep is named after its directory."""
    name = str(header.cell.get("name", directory.name))
    sweep = directory.resolve().parent.name
    settings = dict(header.cell.get("overrides", {})) | {"seed": run.member.seed}
    return LoggedRun(directory, name, sweep, group_of(name, header), settings, header.config, step)


def group_of(name: str, header: Header) -> str:
    """Return the name of a cell without its seeds, with a hash of the identity without seeds.

    >>> group_of("lr=0.1,seed=0-01234567", Header(identity={"config": {"lr": 0.1, "seed": 0}}))
    'lr=0.1-381d1862'
    """
    config = dict(header.identity.get("config", {}))
    rest = {key: value for key, value in config.items() if not SEEDS.fullmatch(f"{key}=")}
    text = json.dumps({**header.identity, "config": rest}, sort_keys=True, default=str)
    words = SEEDS.sub("", name.rpartition("-")[0] or name).strip(",") or "defaults"
    return f"{words}-{hashlib.sha256(text.encode()).hexdigest()[:HEX_DIGITS]}"


class RunLogger(Protocol):
    """Log file of one run."""

    def __call__(self) -> AbstractContextManager[None]:
        """Return a context in which log messages are written to this file."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


class NoLogFile:
    """No log file: messages go to the configured handlers only."""

    def __call__(self) -> AbstractContextManager[None]:
        """Return a context without effect."""
        return nullcontext()

    def close(self) -> None:
        """Do nothing."""


def no_progress(step: int, total_steps: int, text: str) -> None:
    """Ignore the progress."""
