"""Training loop: trains runs as packs and returns their records."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from gansweep import device as devices
from gansweep.batched.pack import Pack, Report
from gansweep.data.on_device import samples_on
from gansweep.device_errors import is_device_failure, is_out_of_memory
from gansweep.training.atomic import unguarded
from gansweep.training.checkpoint import ResumeError
from gansweep.training.diagnosis import diagnose
from gansweep.training.interruption import Interrupted, interrupts
from gansweep.training.record import Header
from gansweep.training.run import Run
from gansweep.training.run_recorder import no_progress
from gansweep.training.session import NO_CELL, TrainingSession


def never() -> bool:
    """Return False: do not stop."""
    return False


def no_new_members(free: int) -> Sequence[TrainingSession]:
    """Return no new members."""
    return ()


def train(
    run: Run,
    directory: Path,
    *,
    stop: Callable[[], bool] = never,
    progress: Callable[[int, int, str], None] = no_progress,
    guard: Callable[[], None] = unguarded,
    header: Header = NO_CELL,
) -> dict[str, Any]:
    """Train a run to its end, from the directory's checkpoint if there is one, and return the record.

    The directory then holds record.json, checkpoint.pt, samples/*.png and TensorBoard events.

    Args:
        run: what to train.
        directory: for all files of the run.
        stop: called after every step; if it returns True, the run is saved and Interrupted is raised.
        progress: called with (step, total steps, text of the newest metric value) after every step.
        guard: called before every write; raises if this process must not write there any more.
        header: the fields of the record that describe the cell.

    Raises:
        Interrupted: `stop` returned True.
        ResumeError: the directory holds the checkpoint of another training.
    """
    session = TrainingSession(run, directory, progress, guard=guard, header=header)
    train_together([session], stop=stop)
    if session.error is not None:
        raise session.error
    return session.finalize()


@devices.restored_matmul_precision()
def train_together(
    sessions: Sequence[TrainingSession],
    *,
    refill: Callable[[int], Sequence[TrainingSession]] = no_new_members,
    ended: Callable[[TrainingSession], None] = lambda session: None,
    stop: Callable[[], bool] = never,
    places: int | None = None,
) -> None:
    """Train several runs as one pack until all have ended.

    A member that ends (finished, diverged, or an exception was raised for it) leaves the pack. New members may
    take its place, or a free place when a member is at a branch point. A new pack then continues with all other
    members from their current state. The runs have to share model, data, batch size, critic steps and device.

    Args:
        sessions: of the first members.
        refill: called with the number of free places; returns at most as many new members.
        ended: called with every member that has ended, to write its record.
        stop: called after every step; if it returns True, all members are saved and Interrupted is raised.
        places: number of members of a full pack; None: as many as there are sessions.

    Raises:
        Interrupted: `stop` returned True.
    """
    places, inside = places or len(sessions), list(sessions)
    while inside:
        training = _trainable_together(inside)
        pack = pack_of([session.run for session in training])
        for k, session in enumerate(training):
            _try(session, session.enter, pack, k, len(training))
        can_refill = len(inside) < places and not _in_step(inside[0])
        stopped = all(session.open for session in training) and _train_pack(pack, training, stop, can_refill)
        leaving = training if not stopped else inside
        for session in leaving:
            with session.logger():
                if session.open and stopped:
                    _try(session, session.interrupt)
                elif session.open:
                    session.leave()
        pack.release()
        for session in [session for session in leaving if not session.open]:
            with session.logger():
                if session.error is not None:
                    session.mark_failed()
                ended(session)
        inside = [session for session in inside if session.open]
        if stopped and inside:
            raise Interrupted(max(session.step for session in inside))
        if not inside or not _in_step(inside[0]):
            inside += refill(places - len(inside))


def _in_step(session: TrainingSession) -> bool:
    """Return whether a run can only be trained with others that are at the same step."""
    return session.run.critic_schedule is not None


def _trainable_together(sessions: Sequence[TrainingSession]) -> Sequence[TrainingSession]:
    """Return members that can be trained together: all of them, or those with the smallest step."""
    if not _in_step(sessions[0]):
        return sessions
    first_step = min(session.step for session in sessions)
    return [session for session in sessions if session.step == first_step]


def pack_of(runs: Sequence[Run]) -> Pack:
    """Return the pack of runs that differ in their members only."""
    run = runs[0]
    with devices.cpu_threads(1):  # for generated data that is not in memory yet
        samples = samples_on(devices.resolve(run.device), run.data, run.algorithm)
    torch.set_num_threads(run.threads)
    devices.hold_memory()
    devices.set_matmul_precision(run.precision)
    return run.algorithm.pack(runs, samples)


def _diagnose(pack: Pack, sessions: Sequence[TrainingSession], report: Report) -> None:
    """Diagnose the members for which a diagnosis is due. Its time does not count as training time."""
    due = [session for session in sessions if session.diagnosis_due(report)]
    if not due:
        return
    start = time.monotonic()
    diagnosis = diagnose(pack)
    readings = diagnosis.read({pack.place[session.k]: session.recorder.field for session in due})
    for session in due:
        _try(session, session.record_diagnosis, readings, diagnosis.field)
    for session in sessions:
        session.evaluator.eval_s += time.monotonic() - start


def _train_pack(pack: Pack, sessions: Sequence[TrainingSession], stop: Callable[[], bool], can_refill: bool) -> bool:
    """Train until a member has ended or `stop` returns True; return whether it was stopped.

    `can_refill`: there are free places, so that training also ends when a member is at a branch point.
    """
    since = time.monotonic()
    for report in pack.steps():
        stopped = stop()
        for session in sessions:
            _try(session, session.record_step, report)
        if stopped or any(session.needs_divergence(report) for session in sessions):
            divergences = pack.monitor.read()
            for session in sessions:
                divergence = divergences[pack.place[session.k]]
                if divergence is not None:
                    _try(session, session.mark_diverged, divergence)
        # The device was synchronised above if an output is due. Outputs do not count as training time.
        trained_s = time.monotonic() - since
        for session in sessions:
            session.trained_s += trained_s
        _diagnose(pack, sessions, report)
        for session in sessions:
            if session.divergence is None and session.error is None:
                _try(session, session.write_outputs)
        branches = can_refill and any(session.at_branch_point for session in sessions)
        if stopped or branches or not all(session.open for session in sessions):
            return stopped
        since = time.monotonic()
    return False


def _try(session: TrainingSession, act: Callable[..., None], *arguments: Any) -> None:
    """Call `act`; an exception ends this member only.

    Out of memory is raised, since the member may fit into a smaller pack. So is a failure of the device.
    """
    try:
        with session.logger():
            act(*arguments)
    except BaseException as error:
        if interrupts(error) or is_out_of_memory(error) or is_device_failure(error):
            raise
        session.error = error


__all__ = ["Interrupted", "ResumeError", "train", "train_together"]
