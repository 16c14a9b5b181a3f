"""From runs and directories to records."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from gansweep import device as devices
from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.pack import Pack, Report
from gansweep.training.atomic import unguarded
from gansweep.training.checkpoint import ResumeError
from gansweep.training.diagnosis import diagnose
from gansweep.training.interruption import interrupts
from gansweep.training.logbook import Logbook, silent
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


def nobody(free: int) -> Sequence[Logbook]:
    """Bring nobody in."""
    return ()


def train(
    run: Run,
    directory: Path,
    *,
    stop: Callable[[], bool] = never,
    progress: Callable[[int, int, str], None] = silent,
    guard: Callable[[], None] = unguarded,
) -> dict[str, Any]:
    """Train to the end, or on from where the directory's checkpoint is, and return the record.

    The directory then holds record.json, checkpoint.pt, samples/*.png and TensorBoard events.

    Args:
        run: what to train.
        directory: where everything it leaves goes.
        stop: asked after every step; at True the run saves and raises Interrupted.
        progress: told (step, total steps, newest metric value in words) after every step.
        guard: called before every write; raises if this process must not write there any more.

    Raises:
        Interrupted: `stop` said so.
        ResumeError: the directory holds the checkpoint of another training.
    """
    book = Logbook(run, directory, progress, guard=guard)
    train_together([book], stop=stop)
    if book.error is not None:
        raise book.error
    return book.close()


def train_together(
    books: Sequence[Logbook],
    *,
    refill: Callable[[int], Sequence[Logbook]] = nobody,
    ended: Callable[[Logbook], None] = lambda book: None,
    stop: Callable[[], bool] = never,
) -> None:
    """Train several runs as one pack, until all have ended.

    When a member ends (it is finished, diverged, or something about it raised), it leaves the
    pack, others may take its place, and a new pack goes on with everybody exactly where they
    were. The runs have to share model, data, batch size, critic steps and device.

    Args:
        books: of the first members.
        refill: asked for at most so many new members when places are free.
        ended: told of every member that ended, whose record is then to be written.
        stop: asked after every step; at True everybody is saved and Interrupted raised.

    Raises:
        Interrupted: `stop` said so.
    """
    places, inside = len(books), list(books)
    while inside:
        playing = _that_can_play(inside)
        pack = pack_of([book.run for book in playing])
        for k, book in enumerate(playing):
            _try(book, book.enter, pack, k, len(playing))
        asked = all(book.open for book in playing) and _play(pack, playing, stop)
        for book in playing if not asked else inside:
            with book.journal():
                if asked and book.open:
                    _try(book, book.interrupt)
                    if book.error is not None:
                        book.abandon()
                        ended(book)
                elif book.open:
                    book.leave()
                else:
                    if book.error is not None:
                        book.abandon()
                    ended(book)
        inside = [book for book in inside if book.open]
        if asked and inside:
            raise Interrupted(max(book.step for book in inside))
        if not inside or not _in_step(inside[0]):
            inside += refill(places - len(inside))


def _in_step(book: Logbook) -> bool:
    """Tell whether a run can only be played beside others that are at the same step."""
    return book.run.critic_schedule is not None


def _that_can_play(books: Sequence[Logbook]) -> Sequence[Logbook]:
    """Choose those who can be played together: all of them, or else the hindmost."""
    if not _in_step(books[0]):
        return books
    hindmost = min(book.step for book in books)
    return [book for book in books if book.step == hindmost]


def pack_of(runs: Sequence[Run]) -> Pack:
    """Make the pack of runs that share everything but their members."""
    run = runs[0]
    with devices.cpu_threads(1):  # where they are not made yet
        samples = run.data.samples
    torch.set_num_threads(run.threads)
    devices.hold_memory()
    devices.set_matmul_precision(run.precision)
    return run.algorithm.pack(runs, samples.to(devices.resolve(run.device)))


def _diagnose(pack: Pack, books: Sequence[Logbook], report: Report) -> None:
    """Look at the game for those who want that after this step; the time is none of the training's."""
    wanting = [book for book in books if book.wants_diagnosis(report)]
    if not wanting:
        return
    start = time.monotonic()
    assert isinstance(pack, AdversarialPack)  # other algorithms refuse trainer.diagnose_every
    found = diagnose(pack)
    for book in wanting:
        _try(book, book.diagnosed, found)
    for book in books:
        book.eval_s += time.monotonic() - start


def _play(pack: Pack, books: Sequence[Logbook], stop: Callable[[], bool]) -> bool:
    """Train until somebody has ended, or was asked to stop, which the answer tells."""
    since = time.monotonic()
    for report in pack.steps():
        asked = stop()
        for book in books:
            _try(book, book.draw, report)
        if asked or any(book.due(report) for book in books):
            ends = pack.watch.read()
            for book in books:
                divergence = ends[pack.place[book.k]]
                if divergence is not None:
                    _try(book, book.diverged, divergence)
        # What is due now was waited for above; what is done with it, for whomever, is no training.
        played = time.monotonic() - since
        for book in books:
            book.trained_s += played
        _diagnose(pack, books, report)
        for book in books:
            if book.divergence is None and book.error is None:
                _try(book, book.note)
        if asked or not all(book.open for book in books):
            return asked
        since = time.monotonic()
    return False


def _try(book: Logbook, act: Callable[..., None], *arguments: Any) -> None:
    """Let what goes wrong with one member end that member alone."""
    try:
        with book.journal():
            act(*arguments)
    except BaseException as error:
        if interrupts(error):
            raise
        book.error = error


__all__ = ["Interrupted", "ResumeError", "train", "train_together"]
