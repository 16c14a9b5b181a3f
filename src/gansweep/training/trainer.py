"""Training loop: trains runs as packs and returns their records."""

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
    """The run was stopped on request; its checkpoint is written.

    Args:
        step: step from which it will continue.
    """

    def __init__(self, step: int) -> None:
        super().__init__(f"stopped after step {step}, can be continued")
        self.step = step


def never() -> bool:
    """Return False: do not stop."""
    return False


def no_new_members(free: int) -> Sequence[Logbook]:
    """Return no new members."""
    return ()


def train(
    run: Run,
    directory: Path,
    *,
    stop: Callable[[], bool] = never,
    progress: Callable[[int, int, str], None] = silent,
    guard: Callable[[], None] = unguarded,
) -> dict[str, Any]:
    """Train a run to its end, from the directory's checkpoint if there is one, and return the record.

    The directory then holds record.json, checkpoint.pt, samples/*.png and TensorBoard events.

    Args:
        run: what to train.
        directory: for all files of the run.
        stop: called after every step; if it returns True, the run is saved and Interrupted is raised.
        progress: called with (step, total steps, text of the newest metric value) after every step.
        guard: called before every write; raises if this process must not write there any more.

    Raises:
        Interrupted: `stop` returned True.
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
    refill: Callable[[int], Sequence[Logbook]] = no_new_members,
    ended: Callable[[Logbook], None] = lambda book: None,
    stop: Callable[[], bool] = never,
) -> None:
    """Train several runs as one pack until all have ended.

    A member that ends (finished, diverged, or an exception was raised for it) leaves the pack. New members may
    take its place, and a new pack continues with all other members from their current state. The runs have to
    share model, data, batch size, critic steps and device.

    Args:
        books: of the first members.
        refill: called with the number of free places; returns at most as many new members.
        ended: called with every member that has ended, to write its record.
        stop: called after every step; if it returns True, all members are saved and Interrupted is raised.

    Raises:
        Interrupted: `stop` returned True.
    """
    places, inside = len(books), list(books)
    while inside:
        training = _trainable_together(inside)
        pack = pack_of([book.run for book in training])
        for k, book in enumerate(training):
            _try(book, book.enter, pack, k, len(training))
        stopped = all(book.open for book in training) and _train_pack(pack, training, stop)
        for book in training if not stopped else inside:
            with book.journal():
                if stopped and book.open:
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
        if stopped and inside:
            raise Interrupted(max(book.step for book in inside))
        if not inside or not _in_step(inside[0]):
            inside += refill(places - len(inside))


def _in_step(book: Logbook) -> bool:
    """Return whether a run can only be trained with others that are at the same step."""
    return book.run.critic_schedule is not None


def _trainable_together(books: Sequence[Logbook]) -> Sequence[Logbook]:
    """Return members that can be trained together: all of them, or those with the smallest step."""
    if not _in_step(books[0]):
        return books
    first_step = min(book.step for book in books)
    return [book for book in books if book.step == first_step]


def pack_of(runs: Sequence[Run]) -> Pack:
    """Return the pack of runs that differ in their members only."""
    run = runs[0]
    with devices.cpu_threads(1):  # for generated data that is not in memory yet
        samples = run.data.samples
    torch.set_num_threads(run.threads)
    devices.hold_memory()
    devices.set_matmul_precision(run.precision)
    return run.algorithm.pack(runs, samples.to(devices.resolve(run.device)))


def _diagnose(pack: Pack, books: Sequence[Logbook], report: Report) -> None:
    """Diagnose the members for which a diagnosis is due. Its time does not count as training time."""
    due = [book for book in books if book.wants_diagnosis(report)]
    if not due:
        return
    start = time.monotonic()
    assert isinstance(pack, AdversarialPack)  # other algorithms refuse trainer.diagnose_every
    diagnosis = diagnose(pack)
    for book in due:
        _try(book, book.diagnosed, diagnosis)
    for book in books:
        book.eval_s += time.monotonic() - start


def _train_pack(pack: Pack, books: Sequence[Logbook], stop: Callable[[], bool]) -> bool:
    """Train until a member has ended or `stop` returns True; return whether it was stopped."""
    since = time.monotonic()
    for report in pack.steps():
        stopped = stop()
        for book in books:
            _try(book, book.draw, report)
        if stopped or any(book.due(report) for book in books):
            divergences = pack.watch.read()
            for book in books:
                divergence = divergences[pack.place[book.k]]
                if divergence is not None:
                    _try(book, book.diverged, divergence)
        # The device was synchronised above if an output is due. Outputs do not count as training time.
        trained_s = time.monotonic() - since
        for book in books:
            book.trained_s += trained_s
        _diagnose(pack, books, report)
        for book in books:
            if book.divergence is None and book.error is None:
                _try(book, book.note)
        if stopped or not all(book.open for book in books):
            return stopped
        since = time.monotonic()
    return False


def _try(book: Logbook, act: Callable[..., None], *arguments: Any) -> None:
    """Call `act`; an exception ends this member only."""
    try:
        with book.journal():
            act(*arguments)
    except BaseException as error:
        if interrupts(error):
            raise
        book.error = error


__all__ = ["Interrupted", "ResumeError", "train", "train_together"]
