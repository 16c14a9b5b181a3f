"""Error block of the commands of a track."""

from __future__ import annotations

from collections.abc import Callable

from gansweep.config.errors import BadConfig


def reported(work: Callable[[], int], omitted: str) -> int:
    """Run a command and return its exit code; print invalid settings as one block and return 2.

    The exit code of a training that failed, which has printed its errors, is returned unchanged.
    """
    try:
        return work()
    except BadConfig as error:
        from gansweep.cli.error_report import complain  # imports Hydra

        return complain(error.problems, omitted)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
