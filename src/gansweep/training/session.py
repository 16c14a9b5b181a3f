"""From a Run and a directory to a record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from gansweep import device as devices
from gansweep.training.checkpoint import ResumeError
from gansweep.training.logbook import Logbook
from gansweep.training.pack import Pack
from gansweep.training.run import Run


class Interrupted(Exception):
    """The run was asked to stop; its checkpoint is written.

    Args:
        step: where it will go on.
    """

    def __init__(self, step: int) -> None:
        super().__init__(f"stopped after step {step}, can be continued")
        self.step = step


def never() -> bool:
    """Answer no."""
    return False


def silent(step: int, total_steps: int, text: str) -> None:
    """Say nothing."""


def train(
    run: Run,
    directory: Path,
    *,
    stop: Callable[[], bool] = never,
    progress: Callable[[int, int, str], None] = silent,
) -> dict[str, Any]:
    """Train to the end, or on from where the directory's checkpoint is, and return the record.

    The directory then holds record.json, checkpoint.pt, samples/*.png and TensorBoard events.

    Args:
        run: what to train.
        directory: where everything it leaves goes.
        stop: asked after every step; at True the run saves and raises Interrupted.
        progress: told (step, total steps, newest metric value in words) after every step.

    Raises:
        Interrupted: `stop` said so.
        ResumeError: the directory holds the checkpoint of another training.
    """
    torch.set_num_threads(run.threads)
    devices.hold_memory()
    devices.set_matmul_precision(run.precision)
    pack = Pack(
        [run.member],
        run.model,
        run.data.samples.to(devices.resolve(run.device)),
        batch_size=run.batch_size,
        critic_steps=run.critic_steps,
        total_steps=run.steps,
        precision=run.precision,
        compiled=run.trainer.compile,
        check_every=run.trainer.check_every,
    )
    book = Logbook(run, directory, pack, 0)
    if not book.open:
        return book.close()
    for report in pack.steps():
        if book.due(report.step):
            (divergence,) = pack.watch.read()
            if divergence is not None:
                book.diverged(divergence)
                break
        book.note(report)
        if not book.open:
            break
        progress(report.step, run.steps, _newest(book))
        if stop() and report.step < run.steps:
            (divergence,) = pack.watch.read()
            if divergence is not None:
                book.diverged(divergence)
                break
            book.interrupt()
            raise Interrupted(report.step)
    return book.close()


def _newest(book: Logbook) -> str:
    if not book.evaluations or book.run.metric is None:
        return ""
    return f"{book.run.metric.name} {book.evaluations[-1]['value']:.1f}"


__all__ = ["Interrupted", "ResumeError", "train"]
