"""Finished cells, and checkpoints of unfinished ones, from which new cells of a sweep can continue.

A cell with more steps, or with other evaluation steps, continues from the checkpoint of a cell that differs only in
settings declared as `Key(..., continuable=True)`; see `gansweep.training.continuation` for the conditions. With
`name=...`, only cells of the same sweep are considered; without, those of all sweeps in the folder.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansweep.config.keys import CONTINUABLE
from gansweep.formatting import is_folder_name
from gansweep.sweep.cell import Cell, State, cells, own_record, state
from gansweep.sweep.identity import canonical, digest, trajectory
from gansweep.sweep.sweep_directory import FROZEN
from gansweep.training import atomic, checkpoint_step

if TYPE_CHECKING:
    from gansweep.training.continuation import Source
    from gansweep.training.run import Run


@dataclass(frozen=True)
class Continuations:
    """Sources of new cells, by hash of the cell.

    Args:
        sources: checkpoints from which cells continue.
        obstacles: why cells can't continue from a checkpoint of the same training.
    """

    sources: Mapping[str, Source] = field(default_factory=dict)
    obstacles: Mapping[str, str] = field(default_factory=dict)

    @property
    def steps(self) -> dict[str, int]:
        """Steps from which cells continue."""
        return {hash_: source.step for hash_, source in self.sources.items()}

    def without(self, hashes: Collection[str]) -> Continuations:
        """Return the continuations without those of some cells."""
        kept = {hash_: source for hash_, source in self.sources.items() if hash_ not in hashes}
        return Continuations(kept, {hash_: text for hash_, text in self.obstacles.items() if hash_ not in hashes})

    @property
    def lines(self) -> list[str]:
        """One line for each sweep with sources, and for each obstacle."""
        starts = Counter((source.directory.parent.name, source.step) for source in self.sources.values())
        return [
            *(f"{cells(n)} will continue from step {step} of {sweep}" for (sweep, step), n in starts.items()),
            *(
                f"{cells(n)} will be trained from step 0: {text}"
                for text, n in Counter(self.obstacles.values()).items()
            ),
        ]


def find(root: Path, sweep: Sequence[Cell]) -> Continuations:
    """Return the checkpoints from which the new cells of a sweep can continue.

    Args:
        root: directory of the sweep.
        sweep: its cells.
    """
    new: dict[str, list[Cell]] = {}
    for cell in sweep:
        if not cell.config.get("fresh") and is_new(cell):
            new.setdefault(digest(trajectory(cell.identity)), []).append(cell)
    candidates: dict[str, list[tuple[int, Cell, list[Any]]]] = {}
    if new:
        alike = {coarse(cell.identity) for group in new.values() for cell in group}
        named = any(cell.config.get("name") is not None for cell in sweep)
        for other in _others(root, named, lambda identity: coarse(identity) in alike):
            key = digest(trajectory(other.identity))
            if key in new and (last := saved(other)) is not None:
                candidates.setdefault(key, []).append((last[0], other, last[1]))
    sources, obstacles = dict[str, Any](), dict[str, str]()
    for key, group in candidates.items():
        group.sort(key=lambda candidate: -candidate[0])
        for cell in new[key]:
            chosen, obstacle = _choose(cell, group)
            if chosen is not None:
                sources[cell.hash] = chosen
            elif obstacle:
                obstacles[cell.hash] = obstacle
    return Continuations(sources, obstacles)


def is_new(cell: Cell) -> bool:
    """Return True if a cell will be trained from step 0, if it is trained."""
    return not checkpoint_step.exists(cell.directory) and state(cell) in (State.NEW, State.FAILED)


def coarse(identity: Mapping[str, Any]) -> str:
    """Return a text that is equal for equal trajectories, and faster to compute."""
    config = identity["config"]
    return repr([identity.get("data"), *(str(config.get(key)) for key in ("seed", "lr", "lr_d", "batch_size"))])


def _others(root: Path, named: bool, wanted: Callable[[Mapping[str, Any]], bool]) -> Iterator[Cell]:
    """Yield the cells with a wanted identity of this sweep and, unless it is named, of all sweeps in its folder."""
    folders = [root]
    if not named and root.parent.is_dir():
        folders += sorted(entry for entry in root.parent.iterdir() if entry != root and (entry / FROZEN).is_file())
    for folder in folders:
        try:
            listed = json.loads(atomic.read(folder / FROZEN))["cells"]
            of_interest = [each for each in listed if wanted(each["identity"]) and is_folder_name(str(each["name"]))]
            found = [Cell.from_dict(folder, content) for content in of_interest]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
        yield from found


def saved(cell: Cell) -> tuple[int, list[Any]] | None:
    """Return step and evaluations of a cell's checkpoint, None if there is none of this run."""
    content = checkpoint_step.plain_values(cell.directory / checkpoint_step.NAMES[1]) or {}
    step, evaluations = checkpoint_step.step_of(content), content.get("evaluations")
    try:
        is_own = canonical(json.loads(content["identity"])) == canonical(cell.identity)
    except (KeyError, TypeError, ValueError):
        return None
    return (step, evaluations) if is_own and step and isinstance(evaluations, list) else None


def _choose(cell: Cell, candidates: Sequence[tuple[int, Cell, list[Any]]]) -> tuple[Source | None, str]:
    """Return the source with the highest step, or None and the obstacle of the highest one."""
    from gansweep.training.continuation import Source, obstacle

    run, first = run_of(cell), ""
    for step, other, evaluations in candidates:
        before = None if run is None else _run_before(run, cell.config, other.config)
        if run is None or before is None or other.directory == cell.directory or step > run.steps:
            continue
        reason = obstacle(run, before, step, evaluations)
        if not reason:
            return Source(other.directory, other.identity, other.hash, step, _checksum(other, step)), ""
        first = first or reason
    return None, first


def _checksum(cell: Cell, step: int) -> str | None:
    """Return the checksum of the member after a step from a cell's record, None if there is none."""
    saved = (own_record(cell) or {}).get("checkpoint") or {}
    return saved.get("member") if saved.get("step") == step else None


def _with_continuable(config: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration with the steps, schedules and evaluation steps of another one."""
    mixed = dict(config)
    for name in CONTINUABLE:
        group, _, inner = name.rpartition(".")
        if not group:
            mixed[name] = other.get(name)
        elif inner in (other.get(group) or {}):
            mixed[group] = {**mixed[group], inner: other[group][inner]}
    return mixed


def _run_before(run: Run, config: Mapping[str, Any], other: Mapping[str, Any]) -> Run | None:
    """Return the run of a configuration with the steps, schedules and evaluation steps of another one."""
    mixed = _with_continuable(config, other)
    if mixed | {"steps": config["steps"], "trainer": config["trainer"]} == config:  # equal schedules
        return replace(run, member=replace(run.member, steps=mixed["steps"]))
    return _run(mixed)


def run_of(cell: Cell) -> Run | None:
    """Return the run of a cell, None if its configuration is not valid now."""
    return cell.run or _run(cell.config)


def _run(config: Mapping[str, Any]) -> Run | None:
    """Return the run of a configuration, None if it is not valid, such as one with classes that are not allowed now."""
    from gansweep.config.build import check

    return check(config).run
