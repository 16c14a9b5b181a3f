"""branch=auto: cells of a sweep whose schedules agree up to a step train these steps once.

The cells that differ only in schedules and steps form a prefix tree: each begins with the state of an earlier one (its
trunk) after the last step in which all their schedules have the same values. The trunk leaves a copy of its
checkpoint there, a branch point. Cells wait for that; without it they begin with the last checkpoint of the trunk
before that step, or are trained from step 0. The numbers are the same in any case, so that an interruption, a failed
trunk or another order of the work only changes how many steps are saved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansweep.config.keys import CONTINUABLE
from gansweep.sweep import cell_lock, continuation
from gansweep.sweep.cell import Cell, State, cells, own_record, state
from gansweep.sweep.continuation import Continuations, coarse, is_new, run_of, saved
from gansweep.sweep.identity import canonical, digest, trajectory
from gansweep.sweep.tensorboard_layout import TENSORBOARD
from gansweep.training import branch_point, checkpoint_step, record

if TYPE_CHECKING:
    from gansweep.sweep.run_state import RunState
    from gansweep.training.continuation import Source
    from gansweep.training.run import Run

MIN_STEPS = 20  # fewer are trained faster than a branch point is written and read
OTHER_OUTPUTS = ("checkpoint_every", "checkpoint_minutes", "progress")  # trainer settings that may differ


@dataclass(frozen=True)
class Branch:
    """Beginning of a cell.

    Args:
        trunk: the cell that trains the first steps.
        step: number of these steps.
        saved: number of steps that the cell does not train because of this.
    """

    trunk: Cell
    step: int
    saved: int


@dataclass(frozen=True)
class Branches:
    """Branches of a sweep, by hash of the cell that begins with the state of another one."""

    of: Mapping[str, Branch] = field(default_factory=dict)

    @property
    def steps(self) -> dict[str, int]:
        """Steps from which cells are trained."""
        return {hash_: branch.step for hash_, branch in self.of.items()}

    @property
    def lines(self) -> list[str]:
        """One line with the number of cells and of saved steps, if there are branches."""
        if not self.of:
            return []
        saved_steps = sum(branch.saved for branch in self.of.values())
        return [f"{cells(len(self.of))} will branch from other cells, which saves {saved_steps} steps (branch=auto)"]

    def steps_of(self, cell: Cell) -> frozenset[int]:
        """Return the steps after which other cells begin with the state of a cell."""
        return frozenset(branch.step for branch in self.of.values() if branch.trunk.hash == cell.hash)

    def waits(self, run_state: RunState, cell: Cell) -> bool:
        """Return whether a cell should be trained later, because its trunk has not reached the branch point."""
        branch = self.of.get(cell.hash)
        if branch is None or checkpoint_step.exists(cell.directory):
            return False
        trunk, point = branch.trunk, branch_point.path_of(branch.trunk.directory, branch.step)
        if point.is_dir() or trunk.hash in run_state.outcome.records:
            return False
        if (trunk.directory / record.NAME).exists():
            content = own_record(trunk)
            if content is not None and content != run_state.to_retry.get(trunk.hash):
                return False
        if cell_lock.crash_history(trunk.directory) is not None:
            return False
        is_beyond = (checkpoint_step.read(trunk.directory) or 0) > branch.step
        return not is_beyond or point.is_dir()  # another process may have written it since the first look

    def source(self, cell: Cell) -> Source | None:
        """Return the branch point of a cell, or the last checkpoint of its trunk before, None if there is neither."""
        from gansweep.training.continuation import Source

        branch = self.of.get(cell.hash)
        if branch is None:
            return None
        trunk, step = branch.trunk, branch.step
        if branch_point.path_of(trunk.directory, step).is_dir():
            return Source(trunk.directory, trunk.identity, trunk.hash, step, is_branch_point=True)
        last = saved(trunk)
        return None if last is None or last[0] > step else Source(trunk.directory, trunk.identity, trunk.hash, last[0])


def find(sweep: Sequence[Cell], continued: Mapping[str, int]) -> Branches:
    """Return the branches of the cells that will be trained from their first step.

    Args:
        sweep: cells of the sweep.
        continued: steps from which cells continue that begin with the checkpoint of a finished cell, by hash.
    """
    if not sweep or not _is_on(sweep[0].config):
        return Branches()
    branches = dict[str, Branch]()
    for alike in _groups(sweep, lambda cell: coarse(cell.identity)):
        for group in _groups(alike, _kind):
            branches |= _tree(group, continued)
    return Branches(branches)


def beginnings(root: Path, sweep: Sequence[Cell]) -> tuple[Continuations, Branches]:
    """Return how new cells of a sweep begin: with checkpoints of trained cells, or with branch points of its cells.

    Args:
        root: directory of the sweep.
        sweep: its cells.
    """
    continuations = continuation.find(root, sweep)
    branches = find(sweep, continuations.steps)
    return continuations.without(branches.of), branches


def remove_branch_points(sweep: Iterable[Cell], records: Mapping[str, Mapping[str, Any]]) -> None:
    """Delete the branch points of a sweep in which all cells have ended, unless one of them failed.

    Args:
        sweep: its cells.
        records: of the cells, by hash.
    """
    if all(content["state"] != State.FAILED.value for content in records.values()):
        for cell in sweep:
            branch_point.remove(cell.directory)


def _is_on(config: Mapping[str, Any]) -> bool:
    """Return whether the cells of a command line branch.

    They do not in a race, which decides at each evaluation of a cell whether it is dropped; nor within a time limit,
    which may leave out a trunk; nor with loggers other than TensorBoard, in which the first steps of a cell would be
    missing.
    """
    loggers = (config.get("logger") or {}).values()
    known = all(isinstance(logger, Mapping) and logger.get("_target_") == TENSORBOARD for logger in loggers)
    bounded = config.get("race") is not None or config.get("hours") is not None
    return config.get("branch", "auto") == "auto" and known and not bounded


def _groups(sweep: Sequence[Cell], key: Any) -> Iterator[list[Cell]]:
    """Yield the cells with equal keys, if they differ in their schedules or steps."""
    groups: dict[str, list[Cell]] = {}
    for cell in sweep:
        groups.setdefault(key(cell), []).append(cell)
    for group in groups.values():
        if len({repr([cell.config.get(name.partition(".")[0]) for name in CONTINUABLE]) for cell in group}) > 1:
            yield group


def _kind(cell: Cell) -> str:
    """Return a text that is equal for cells that differ only in schedules and steps."""
    trainer = {key: value for key, value in cell.config.get("trainer", {}).items() if key not in OTHER_OUTPUTS}
    eval_seeds = cell.config.get("eval_seeds")
    return digest(canonical([trajectory(cell.identity), trainer, eval_seeds]))


@dataclass(frozen=True)
class _Node:
    """A cell of the prefix tree; `start` is the step from which it is trained, None if it is not expected to be."""

    cell: Cell
    run: Run
    start: int | None

    def serves(self, step: int) -> bool:
        """Return whether the cell has left, or will leave, a branch point after a step."""
        return (self.start is not None and self.start < step) or branch_point.path_of(
            self.cell.directory, step
        ).is_dir()


def _tree(group: Sequence[Cell], continued: Mapping[str, int]) -> dict[str, Branch]:
    """Return the branches of cells that differ in schedules and steps only.

    Each cell begins with the state of the earlier cell with which it shares most steps. Both train at least one step
    after that, so that nothing that belongs to the end of a run is copied. A cell whose process died is trained last,
    and other cells do not wait for it.
    """
    from gansweep.training.continuation import SharedSteps

    shared, nodes, branches = SharedSteps(), list[_Node](), dict[str, Branch]()
    for cell in sorted(group, key=is_new):
        run = run_of(cell)
        if run is None:
            continue
        start = _start(cell, continued)
        if is_new(cell) and start is not None:
            candidates = [(min(shared(run, node.run), node.run.steps - 1, run.steps - 1), node) for node in nodes]
            serving = [(step, node) for step, node in candidates if step >= start + MIN_STEPS and node.serves(step)]
            if serving:
                step, trunk = max(serving, key=lambda pair: pair[0])
                branches[cell.hash] = Branch(trunk.cell, step, step - start)
                start = step
        nodes.append(_Node(cell, run, None if cell_lock.crash_history(cell.directory) else start))
    return branches


def _start(cell: Cell, continued: Mapping[str, int]) -> int | None:
    """Return the step from which a cell is trained if it does not branch, None if it is not trained."""
    if state(cell) not in (State.NEW, State.FAILED, State.RESUMABLE, State.CLAIMED):
        return None
    own = checkpoint_step.read(cell.directory)
    return continued.get(cell.hash, 0) if own is None else own
