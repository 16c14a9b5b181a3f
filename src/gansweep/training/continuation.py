"""Continuation of a run from the checkpoint of another one: with more steps, or with other evaluation steps.

The numbers are those of a run that was not interrupted, if all schedules have the same values up to the checkpoint and
all evaluations up to it were made; see `obstacle`. With fewer evaluations than before, a best value that was surpassed
later may lack its holdout value.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gansweep.interfaces import Schedule
from gansweep.training import branch_point, checkpoint, checkpoint_step, checksums
from gansweep.training.record import summary
from gansweep.training.run import Intervals, Run

log = logging.getLogger(__name__)

CHUNK = 256  # steps; most schedules differ early, so that few values have to be computed


@dataclass(frozen=True)
class Source:
    """Checkpoint of another run.

    Args:
        directory: of its cell.
        identity: of the run.
        hash: of the identity.
        step: of the checkpoint.
        member: checksum of its member, as in the record of a finished run; None if there is none.
        is_branch_point: the checkpoint is a branch point, which the run has left behind; see `training.branch_point`.
    """

    directory: Path
    identity: Mapping[str, Any]
    hash: str
    step: int
    member: str | None = None
    is_branch_point: bool = False

    @property
    def files(self) -> Path:
        """Directory of the checkpoint and of the outputs up to its step."""
        return branch_point.path_of(self.directory, self.step) if self.is_branch_point else self.directory

    @property
    def about(self) -> dict[str, Any]:
        """Sweep, cell and step, for the record of the run that continues."""
        sweep, cell = self.directory.parent.name, self.directory.name
        return {"sweep": sweep, "cell": cell, "hash": self.hash, "step": self.step}


def schedules(run: Run) -> dict[str, Schedule | None]:
    """Return all schedules of a run by the name of their setting; None for optional ones that are not set."""
    member, g, d = run.member, run.member.generator, run.member.discriminator
    listed = {
        "schedule": g.schedule,
        "schedule_d": d.schedule,
        "schedule_beta": g.beta_schedule,
        "schedule_beta_d": d.beta_schedule,
        "schedule_penalty": member.penalty_schedule,
        "schedule_noise": member.noise_schedule,
        "schedule_ema": member.ema_schedule,
        "schedule_critic": run.critic_schedule,
    }
    parts = {
        "algorithm": run.algorithm,
        "dynamics": run.dynamics,
        "loss": member.objective,
        "optimizer": g.rule,
        "optimizer_d": d.rule,
        "feedback": g.feedback,
        "feedback_d": d.feedback,
    }
    return listed | {name: part for group, value in parts.items() for name, part in _inside(group, value)}


def _inside(name: str, value: Any) -> Iterator[tuple[str, Schedule]]:
    """Yield the schedules among the fields of a dataclass, and of the dataclasses inside it."""
    if isinstance(value, Schedule):
        yield name, value
    elif is_dataclass(value):
        for field in fields(value):
            yield from _inside(f"{name}.{field.name}", getattr(value, field.name))


def obstacle(run: Run, other: Run, step: int, evaluations: Sequence[Mapping[str, Any]]) -> str:
    """Return why a run can't continue from the checkpoint of another one, "" if it can.

    Args:
        run: the run that would continue.
        other: the run of the checkpoint, which differs only in steps, schedules and evaluation steps.
        step: of the checkpoint.
        evaluations: in the checkpoint.
    """
    return _other_schedule(run, other, step) or (
        "" if run.metric is None else _other_evaluation(run, step, evaluations)
    )


def _other_schedule(run: Run, other: Run, step: int) -> str:
    before, now = schedules(other), schedules(run)
    for name in now | before:
        schedule = now.get(name)
        first_difference = _first_difference(schedule, run.steps, before.get(name), other.steps, step)
        if first_difference is not None:
            lengths = f"with steps={run.steps} and steps={other.steps}"
            return f"{name}={schedule!r} differs in step {first_difference} between runs {lengths}"
    return ""


def _first_difference(
    schedule: Schedule | None, total_steps: int, other: Schedule | None, other_total: int, until: int
) -> int | None:
    """Return the first of the steps below `until` in which two schedules differ, None if there is none."""
    if schedule is None or other is None:
        return None if schedule is other else 0
    return next((n for n in range(until) if schedule(n, total_steps) != other(n, other_total)), None)


def _other_evaluation(run: Run, step: int, evaluations: Sequence[Mapping[str, Any]]) -> str:
    metric, measured = run.metric, {entry["step"]: entry for entry in evaluations}
    assert metric is not None
    due = Intervals(run.trainer, run.steps).evaluations(step)
    missing = [n for n in due if n not in measured]
    if missing:
        return f"trainer.eval_every={run.trainer.eval_every}: step {missing[0]} was not evaluated"
    if run.monitors_metric and any(n < step and n not in due for n in measured):
        return f"trainer.eval_every={run.trainer.eval_every}: the feedback has monitored the metric at other steps"
    best = summary([measured[n] for n in due], metric.lower_is_better)["best_step"]
    if best in (None, step):  # the holdout value of the last step is measured on continuing
        return ""
    if "apart" not in measured[best]:
        return f"trainer.eval_every={run.trainer.eval_every}: the best value, of step {best}, has no holdout value"
    num_draws = len(measured[best].get("apart_draws") or [measured[best]["apart"]])
    if num_draws < run.eval_seeds:
        return f"eval_seeds={run.eval_seeds}: the best value, of step {best}, was measured on fewer draws: {num_draws}"
    return ""


def begin(source: Source, run: Run, identity: Mapping[str, Any], directory: Path, guard: Callable[[], None]) -> None:
    """Write the checkpoint that a run continues from, and copy pictures, events and kept weights.

    The checkpoint is written last, so that a process that is killed begins again. Nothing is done if the directory has
    a checkpoint already. If the source can't be read any more, a warning is logged.

    Args:
        source: checkpoint of another run, without obstacle.
        run: the run.
        identity: of the run.
        directory: of its cell.
        guard: called before the checkpoint gets its final name; raises if this process must not write any more.
    """
    if checkpoint_step.exists(directory):
        return
    try:
        adapted = _adapted(_content(source), source, run)
        directory.mkdir(parents=True, exist_ok=True)
        branch_point.copy_outputs(source.files, directory, run, source.step)
    except Exception as error:
        if checkpoint.is_shortage(error):
            raise
        reason = checkpoint.reason(error)
        log.warning("can't continue from %s: %s; training from the first step", source.directory, reason)
        return
    try:
        checkpoint.save(directory, identity, adapted, guard)
    except OSError as error:
        log.warning("the checkpoint of %s can't be copied: %s; training from the first step", source.directory, error)
    else:
        log.info("starting from step %d of %s", source.step, source.directory)


def _content(source: Source) -> dict[str, Any]:
    content = checkpoint.read(source.files / checkpoint.NAME)
    if json.loads(content["identity"]) != json.loads(json.dumps(source.identity)):
        raise checkpoint.Unusable("it belongs to another run now")
    if content["member"]["step"] != source.step:
        raise checkpoint.Unusable(f"its step is {content['member']['step']} now, expected {source.step}")
    if source.member not in (None, checksums.of_member(content)):
        raise checkpoint.Unusable("its member has another checksum than that in the record of its run")
    return content


def _adapted(content: Mapping[str, Any], source: Source, run: Run) -> dict[str, Any]:
    """Return the content of a checkpoint without what a longer run would not have recorded."""
    intervals = Intervals(run.trainer, run.steps)
    due = set(intervals.evaluations(source.step))
    adapted = {key: value for key, value in content.items() if key not in ("identity", checksums.CHECKSUMS)}
    for key in ("evaluations", "trained_at"):
        if key in content:
            adapted[key] = [_with_draws_of(run, entry) for entry in content[key] if entry["step"] in due]
    if "curves" in content:
        point = intervals.point(source.step)
        adapted["curves"] = [entry for entry in content["curves"] if point or entry["step"] != source.step]
    return adapted | {"continued": source.about}


def _with_draws_of(run: Run, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an evaluation with the number of draws of a run; those of its value are made after the last step only."""
    adapted = {key: value for key, value in entry.items() if key not in ("draws", "apart_draws")}
    for key in ["apart_draws", *(["draws"] if entry["step"] == run.steps else [])]:
        if len(entry.get(key, ())) >= run.eval_seeds > 1:
            adapted[key] = entry[key][: run.eval_seeds]
    return adapted


class SharedSteps:
    """Function that returns in how many first steps two runs have the same values of every schedule.

    The runs are those of cells that differ in steps and schedules only. The values of each schedule are computed once.
    """

    def __init__(self) -> None:
        self._schedules: dict[int, tuple[Run, dict[str, Schedule | None]]] = {}  # by id of the run
        self._known: list[tuple[Schedule, int, list[np.ndarray]]] = []

    def __call__(self, run: Run, other: Run) -> int:
        """Return the number of shared steps, at most the length of the shorter run."""
        first, second = self._of(run), self._of(other)
        until = min(run.steps, other.steps)
        for name in first | second:
            until = self._first_difference(first.get(name), run.steps, second.get(name), other.steps, until)
        return until

    def _of(self, run: Run) -> dict[str, Schedule | None]:
        if id(run) not in self._schedules:
            self._schedules[id(run)] = run, schedules(run)
        return self._schedules[id(run)][1]

    def _first_difference(
        self, schedule: Schedule | None, total_steps: int, other: Schedule | None, other_total: int, until: int
    ) -> int:
        """Return the first step below `until` in which two schedules differ, `until` if there is none."""
        if schedule is None or other is None:
            return until if schedule is other else 0
        if total_steps == other_total and schedule == other:
            return until
        for number in range(math.ceil(until / CHUNK)):
            values = self._chunk(schedule, total_steps, number)
            others = self._chunk(other, other_total, number)
            common = min(len(values), len(others))
            different = np.flatnonzero(values[:common] != others[:common])
            if different.size:
                return min(until, number * CHUNK + int(different[0]))
        return until

    def _chunk(self, schedule: Schedule, total_steps: int, number: int) -> np.ndarray:
        """Return the values of the steps from number * CHUNK on, at most CHUNK of them."""
        known = (chunks for other, length, chunks in self._known if length == total_steps and other == schedule)
        chunks = next(known, None)
        if chunks is None:
            chunks = list[np.ndarray]()
            self._known.append((schedule, total_steps, chunks))
        while len(chunks) <= number:
            start = len(chunks) * CHUNK
            steps = range(start, min(start + CHUNK, total_steps))
            chunks.append(np.array([schedule(step, total_steps) for step in steps], dtype=np.float64))
        return chunks[number]
