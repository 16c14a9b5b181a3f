"""Loggers of one run: opened together, and closed one by one when they fail."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from torch import Tensor

from gansweep.interfaces import LoggedRun, Logger, LoggerSettings
from gansweep.training.record import Header
from gansweep.training.run import Run
from gansweep.training.tensorboard import TensorBoard
from gansweep.user_code import exits_raise

log = logging.getLogger(__name__)

SEEDS = re.compile(r"(^|,)seed(_init|_data|_noise)?=[^,]*")
HEX_DIGITS = 8


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
    first = (str(error).strip().splitlines() or [""])[0]
    log.warning(
        "The logger %s%s failed (%s: %s); the run continues without it", name, where, type(error).__name__, first
    )


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
