"""Submission of an entry: from the folder of `gansweep track try` to an entry file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gansweep.config.errors import BadConfig, SettingError
from gansweep.sweep import sweep_directory
from gansweep.sweep.cell import Cell, Result, State
from gansweep.sweep.identity import digest, plain
from gansweep.sweep.sweep import Sweep
from gansweep.track import checks, own_code
from gansweep.track.checks import composed_cell
from gansweep.track.entry import Entry, EntryRun, Tuning, TuningRun
from gansweep.track.track import Track, differences, frozen_differences
from gansweep.track.training import steps_to_target
from gansweep.track.words import key_of

VERSIONS = ("gansweep", "python", "torch", "torchvision", "numpy", "commit")
SAME_VERSIONS = ("torch", "torchvision", "numpy")  # those that can change the numbers
DEVICE = ("type", "name")
ANONYMOUS = "anonymous"


@dataclass(frozen=True)
class Source:
    """Where the runs of an entry and its own classes are.

    Args:
        sweep: folder of `gansweep track try`.
        tuning: folder of `gansweep track tune`; None: the one beside it that tried the settings of the entry, if any.
        extra: settings such as `allow=[my_gans]`.
        config_dir: directory with further YAML files.
    """

    sweep: Path
    tuning: Path | None = None
    extra: Sequence[str] = ()
    config_dir: str | None = None


def entry_of(track: Track, source: Source, name: str | None = None, author: str = ANONYMOUS) -> Entry:
    """Return the entry of a sweep, checked against the track.

    Raises:
        BadConfig: seeds are missing, or the runs are not those of one setting.
        BadEntry: the settings or the runs do not follow the rule of the track.
    """
    reference = composed_cell(track, [], track.judging_seeds[0])
    runs = judging_runs(track, source.sweep, reference)
    first = runs[track.judging_seeds[0]]
    words = [f"{key}={plain(value)}" for key, value in first.cell.overrides.items() if track.is_free(key_of(key))]
    identity = without_seed(first.cell.identity)
    entry = Entry(
        track=track.name,
        fingerprint=track.fingerprint,
        target=track.target,
        confidence=track.confidence,
        name="entry",
        author=author,
        date=max(str(_part(run, "time").get("finished"))[:10] for run in runs.values()),
        overrides=words,
        identity=identity,
        metric=first.metric["fingerprint"],
        runs={seed: entry_run(run, track.target) for seed, run in runs.items()},
        tuning=_tuning(track, source, identity, reference),
        versions=_common(runs, "versions", VERSIONS),
        device=_common(runs, "device", DEVICE),
        code=own_code.captured(identity.get("code") or {}, words, source.config_dir),
    )
    entry = replace(entry, name=name or re.sub(r"[^\w.+-]+", "_", entry.method).strip("_"))
    checks.check(entry, track, source.sweep, source.extra, source.config_dir)
    return Entry.of_json(entry.as_json(), source.sweep)


def judging_runs(track: Track, sweep: Path, reference: Cell) -> dict[int, Result]:
    """Return the finished runs of all judging seeds of a sweep.

    Runs of an earlier version of the track or of the arithmetic, which have the same folder, are left out.

    Raises:
        BadConfig: there are several settings or versions of the code, or a seed has no finished run.
    """
    results = Sweep(sweep, []).results if sweep.is_dir() else []
    if not results:
        raise SettingError(str(sweep), None, "contains no cells, expected the folder of `gansweep track try`")
    groups: dict[str, dict[int, Result]] = {}
    for result in results:
        group = groups.setdefault(digest(without_seed(result.cell.identity)), {})
        group[int(result.cell.config["seed"])] = result
    fitting = [group for group in groups.values() if not _misfit(track, next(iter(group.values())).cell, reference)]
    if not fitting:
        misfit = _misfit(track, results[-1].cell, reference)
        raise SettingError(str(sweep), None, f"has no runs of track {track.name} in its present version: {misfit}")
    if len(fitting) > 1:
        raise SettingError(str(sweep), None, _several([next(iter(group.values())).cell for group in fitting]))
    (runs,) = fitting
    problems = []
    for seed in track.judging_seeds:
        state = runs[seed].state if seed in runs else State.NEW
        if state not in (State.COMPLETED, State.DIVERGED):
            problems.append(SettingError(f"seed {seed}", None, _why_not(state)))
    if further := sorted(set(runs) - set(track.judging_seeds)):
        problems.append(SettingError(f"seed {further[0]}", None, f"does not judge entries of track {track.name}"))
    if problems:
        raise BadConfig(problems)
    return {seed: runs[seed] for seed in track.judging_seeds}


def _misfit(track: Track, cell: Cell, reference: Cell) -> str:
    """Return how a run differs from the runs of a track, except in free settings; empty if it does not."""
    if frozen := frozen_differences(track, cell.identity["config"], reference.identity["config"]):
        return f"the track fixes {', '.join(frozen[:3])}"
    if cell.identity["numerics"] != reference.identity["numerics"]:
        return f"numerics is {cell.identity['numerics']}, here {reference.identity['numerics']}"
    return "" if cell.identity["data"] == reference.identity["data"] else "the data have another hash"


def _several(cells: Sequence[Cell]) -> str:
    first, other = (cell.identity for cell in cells[:2])
    keys = [key for key in differences(first["config"], other["config"]) if key != "seed"]
    if keys:
        return f"has runs of several settings, which differ in {', '.join(keys[:3])}; an entry has one"
    modules = sorted(differences(first.get("code") or {}, other.get("code") or {}))
    return f"has runs of several versions of the code of {', '.join(modules[:3])}; train all seeds with one"


def _why_not(state: State) -> str:
    reasons = {
        State.FAILED: "its training failed; repeat `gansweep track try`",
        State.DROPPED: "was dropped by a race; an entry needs whole trainings",
        State.CLAIMED: "is being trained; wait until it ends",
    }
    return reasons.get(state, "is not trained; `gansweep track try` trains all judging seeds")


def entry_run(result: Result, target: float) -> EntryRun:
    """Return a finished run as an entry file has it, with the training times at the target and at the end."""
    values = {int(e["step"]): e["value"] for e in result.evaluations}
    divergence = (result.record or {}).get("divergence")
    run = EntryRun(
        state=result.state.value,
        hash=result.cell.hash,
        values=values,
        divergence=divergence and {key: divergence.get(key) for key in ("step", "player", "cause")},
        trained_s={},
        pack=_part(result, "pack").get("members"),
    )
    kept = {run.steps_to(target), float(max(values))}
    return replace(run, trained_s={step: seconds for step, seconds in result.trained_s.items() if step in kept})


def without_seed(identity: Mapping[str, Any]) -> dict[str, Any]:
    """Return an identity without `config.seed`, the same for all seeds."""
    return {**identity, "config": {key: value for key, value in identity["config"].items() if key != "seed"}}


def _tuning(track: Track, source: Source, identity: Mapping[str, Any], reference: Cell) -> Tuning | None:
    """Return the tuning runs, with the settings in which they differ; None if there are none.

    Raises:
        SettingError: the given folder, or several folders beside the sweep, tried the settings of the entry.
    """
    beside = sorted(source.sweep.resolve().parent.glob(f"track_{track.name}_tune*"))
    folders = beside if source.tuning is None else [source.tuning]
    found = [folder for folder in folders if folder.is_dir() and _tried(folder, identity)]
    if len(found) > 1:
        names = ", ".join(folder.name for folder in found)
        raise SettingError("--tuning", None, f"the settings of the entry were tried in {names}; choose one")
    if not found and source.tuning is not None:
        expected = "has no run with the settings of the entry, expected the folder of `gansweep track tune`"
        raise SettingError("--tuning", str(source.tuning), expected)
    return _tuning_in(track, found[0], reference) if found else None


def _tuning_in(track: Track, folder: Path, reference: Cell) -> Tuning:
    """Return the finished tuning runs of a folder; those of an earlier version of the track are left out."""
    results = [
        result
        for result in Sweep(folder, []).results
        if result.state.is_result and not _misfit(track, result.cell, reference)
    ]
    free = [
        {key: value for key, value in result.cell.overrides.items() if track.is_free(key_of(key))} for result in results
    ]
    keys = dict.fromkeys(key for settings in free for key in settings)
    varied = [key for key in keys if len({plain(settings.get(key)) for settings in free}) > 1]
    runs = [
        TuningRun(
            overrides={key: settings[key] for key in varied if key in settings},
            seed=int(result.cell.config["seed"]),
            state=result.state.value,
            steps_to_target=steps_to_target(track, result),
            final=result.final,
        )
        for result, settings in zip(results, free, strict=True)
    ]
    budget = re.search(r"_tune(\d+)_", folder.name)
    return Tuning(max(len(runs), int(budget[1]) if budget else 0), runs)


def _tried(folder: Path, identity: Mapping[str, Any]) -> bool:
    return any(without_seed(cell.identity) == identity for cell in sweep_directory.read(folder).cells)


def _part(result: Result, name: str) -> Mapping[str, Any]:
    return (result.record or {}).get(name) or {}


def _common(runs: Mapping[int, Result], part: str, names: Sequence[str]) -> dict[str, str]:
    """Return versions or the device of all runs; those of little importance are left out if they differ.

    Raises:
        SettingError: runs of several devices or versions can't be compared bit for bit.
    """
    common = {}
    for name in names:
        values = sorted({str(_part(run, part).get(name)) for run in runs.values()} - {"None"})
        if len(values) == 1:
            common[name] = values[0]
        elif len(values) > 1 and name in (*SAME_VERSIONS, *DEVICE):
            expected = f"the seeds were trained with {' and '.join(values)}; train them all with one"
            raise SettingError(f"{part}.{name}", None, expected)
    return common
