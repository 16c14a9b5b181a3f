"""Compose and check all jobs of a command line, and build the cells of the sweep."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansweep.cli.compose import Composer, Composition, top_level
from gansweep.code_identity import code_of
from gansweep.config.errors import BadConfig, SettingError, UnknownKey
from gansweep.config.keys import WHOLE_SWEEP
from gansweep.sweep.cell import Cell
from gansweep.sweep.cell import cells as number_of_cells
from gansweep.sweep.identity import cell_name, digest, identity

if TYPE_CHECKING:
    from gansweep.config.build import Checked

log = logging.getLogger(__name__)

PROGRESS_AFTER_S, PROGRESS_EVERY_S = 2.0, 10.0


def compose(
    composer: Composer, jobs: Sequence[Sequence[str]], root: Path, *, here: bool = False, vary: Collection[str] = ()
) -> tuple[list[Cell], list[Composition]]:
    """Compose and check every job.

    Args:
        composer: composes one job.
        jobs: overrides of each job.
        root: directory of the sweep.
        here: cells are trained on this machine, so `device` is checked against its devices.
        vary: keys that later jobs vary; cells are named by them too.

    Raises:
        BadConfig: with the problems of all jobs.
    """
    grid = _Grid(root, {*swept_keys(jobs), *vary}, here)
    problems = [
        SettingError(key, None, "belongs to the sweep as a whole; give it one value")
        for key in swept_keys(jobs)
        if key in WHOLE_SWEEP
    ]
    of_jobs: list[list[SettingError]] = []
    next_report = time.monotonic() + PROGRESS_AFTER_S
    reported = False
    for number, job in enumerate(jobs):
        if number and time.monotonic() > next_report:
            log.info("Checked %d of %d cells", number, len(jobs))
            next_report, reported = time.monotonic() + PROGRESS_EVERY_S, True
        composition = composer(job)
        of_jobs.append(composition.problems)
        problems += composition.problems
        problems += grid.add(composition, wanted=not problems)
    if reported:
        log.info("Checked %d of %d cells", len(jobs), len(jobs))
    if problems:
        explained = _by_choice(jobs, of_jobs)
        raise BadConfig(explained.get(p.name, p) if isinstance(p, UnknownKey) else p for p in problems)
    if grid.without_effect:
        log.warning("Without effect: %s", "; ".join(grid.without_effect))
    for line in grid.left_out:
        log.warning("%s", line)
    if grid.compiled:
        log.info("%s", _compiled(grid.compiled))
    return grid.cells, grid.compositions


class _Grid:
    """Cells of the jobs that have been checked so far.

    Attributes:
        without_effect, left_out: warnings about the cells, without repetitions.
        compiled: whether each cell with trainer.compile=auto is compiled.
    """

    def __init__(self, root: Path, named_by: Collection[str], here: bool) -> None:
        self._root, self._named_by, self._here = root, named_by, here
        self.cells, self.compositions = list[Cell](), list[Composition]()
        self.without_effect, self.left_out = dict[str, None](), dict[str, None]()
        self.compiled = list[bool]()

    def add(self, composition: Composition, wanted: bool) -> list[SettingError]:
        """Check a job and return its problems; without any, add its cell if it is wanted."""
        from gansweep.config.build import absent, check
        from gansweep.config.checks import left_out, without_effect

        problems = _varied_by_interpolation(composition, self.compositions)
        if not composition.config:
            return problems
        checked = check(composition.config, composition.given.keys())
        problems += [_named_by_choice(problem, composition.choices, checked.parts) for problem in checked.problems]
        if not wanted or problems or checked.run is None:
            return problems
        if self._here and (lacking := absent(checked.run)):
            return lacking
        cell = _cell(checked, composition.given, composition.choices, self._named_by, self._root)
        # Runs with the first data set are kept; other data sets would fill the memory.
        is_first = not self.cells or (self.cells[0].run is not None and checked.data is self.cells[0].run.data)
        self.cells.append(cell if is_first else replace(cell, run=None))
        self.compositions.append(composition)
        self.without_effect |= dict.fromkeys(without_effect(checked.run))
        self.left_out |= dict.fromkeys(left_out(checked.data))
        if checked.parts["trainer"].compile == "auto":
            self.compiled.append(checked.run.trainer.compile is True)
        return []


def _compiled(compiled: Sequence[bool]) -> str:
    """Return a line with the value of trainer.compile=auto in each cell.

    >>> print(_compiled([True, False, True]).partition(" (")[0])
    trainer.compile=auto: true for 2 cells, false for 1 cell
    """
    from gansweep.training.run import COMPILED_FROM

    counts = [(value, compiled.count(value == "true")) for value in ("true", "false")]
    values = ", ".join(f"{value} for {number_of_cells(count)}" for value, count in counts if count)
    rule = f"true from {COMPILED_FROM:,} updates of both players on, if all settings of the cell can be compiled"
    return f"trainer.compile=auto: {values} ({rule})"


def _varied_by_interpolation(composition: Composition, others: Sequence[Composition]) -> list[SettingError]:
    """Return a problem for every sweep-wide setting that an interpolation, such as name=s_${seed}, varies."""
    return [
        SettingError(key, text, "differs among the jobs, but belongs to the sweep as a whole; give it one value")
        for key, text in composition.given.items()
        if key in WHOLE_SWEEP and "${" in str(text)
        if any(other.config.get(key) != composition.config.get(key) for other in others[:1])
    ]


def _named_by_choice(problem: SettingError, choices: Mapping[str, Any], parts: Mapping[str, Any]) -> SettingError:
    """Replace the repr of an object in a problem by its choice on the command line.

    `metric: ...` becomes `metric=digits: ...`, and `loss=Objective(...): ...` becomes `loss=r1: ...`.
    """
    option, value, expected = _option(choices, problem.name), problem.value, problem.expected
    printed = f"{parts.get(problem.name)!r}: "
    if option and (value is None or value is parts.get(problem.name)):
        value = option
    elif option and f"{value}: {expected}".startswith(printed):  # the class itself raised the error
        value, expected = option, f"{value}: {expected}".removeprefix(printed)
    for group, part in parts.items():
        if part is not None and _option(choices, group):
            expected = expected.replace(repr(part), f"{group}={_option(choices, group)}")
    return SettingError(problem.name, value, expected)


def _option(choices: Mapping[str, Any], group: str) -> Any:
    """Return the chosen option of a group; Hydra's key of `schedule_d` is `schedule@schedule_d`."""
    return choices.get(group) or choices.get(f"{group.partition('_')[0]}@{group}")


def cell_of(config: Mapping[str, Any], overrides: Sequence[str], choices: Mapping[str, Any], root: Path) -> Cell:
    """Return the cell of a single job that is not part of a grid.

    Raises:
        BadConfig: with all problems.
    """
    from gansweep.config.build import check

    given = dict(override.lstrip("+~").split("=", 1) for override in overrides if "=" in override)
    checked = check(config, given.keys())
    if checked.problems:
        raise BadConfig(checked.problems)
    return _cell(checked, given, choices, list(given), root)


def swept_keys(jobs: Sequence[Sequence[str]]) -> list[str]:
    """Return the keys that have more than one value among the jobs.

    >>> swept_keys([["lr=0.1", "optimizer=sgd"], ["lr=0.2", "optimizer=sgd"]])
    ['lr']
    """
    values: dict[str, set[str]] = {}
    for job in jobs:
        of_job: dict[str, str] = {}  # mappings of one key are merged
        for override in job:
            key, _, value = override.partition("=")
            key = key.lstrip("+~")
            of_job[key] = f"{of_job[key]} {value}" if key in of_job else value
        for key, value in of_job.items():
            values.setdefault(key, set()).add(value)
    return [key for key, texts in values.items() if len(texts) > 1]


def _cell(
    checked: Checked, given: Mapping[str, Any], choices: Mapping[str, Any], swept: Collection[str], root: Path
) -> Cell:
    """Return a cell. Its overrides include the chosen option of every group.

    A table needs them to compare the cell with cells of a later grid that varies one of the groups.
    """
    from gansweep.labels import hash_for
    from gansweep.training.run import numerics_of

    of_sweep = [key for key in given if key.partition(".")[0] in WHOLE_SWEEP]  # logger.wandb.project too
    typed = {key: _typed(checked.config, key, value) for key, value in given.items() if key not in of_sweep}
    chosen = {group: choices[group] for group in top_level(choices) if choices[group] and group not in WHOLE_SWEEP}
    overrides = typed | {group: option for group, option in chosen.items() if group not in typed}
    model = checked.parts["model"]
    data_hash = hash_for(checked.data, model)
    identity_ = identity(checked.config, data_hash, numerics_of(model), code_of(checked.config))
    hash_ = digest(identity_)
    mappings = tuple(f"{key}." for key in swept if key not in typed)  # given by their inner keys
    named = {key: value for key, value in typed.items() if key in swept or key.startswith(mappings)} or typed
    return Cell(overrides, checked.config, identity_, hash_, root / cell_name(named, hash_), checked.run)


def _typed(config: Mapping[str, Any], key: str, value: Any) -> Any:
    """Return a value with the type that its class declares: 1e3 steps become 1000."""
    node: Any = config
    for part in key.split("."):
        if not isinstance(node, Mapping) or part not in node:
            return value
        node = node[part]
    return value if node is None or isinstance(node, Mapping) else node


def _by_choice(jobs: Sequence[Sequence[str]], problems: Sequence[Sequence[SettingError]]) -> dict[str, SettingError]:
    """Return problems by key for keys that exist in some jobs only; each names the choices that have the key."""
    lacking: dict[str, list[int]] = {}
    for n, of_job in enumerate(problems):
        for problem in of_job:
            if isinstance(problem, UnknownKey):
                lacking.setdefault(problem.name, []).append(n)
    return {
        where: _lacking_problem(where, jobs, indices) for where, indices in lacking.items() if len(indices) < len(jobs)
    }


def _lacking_problem(where: str, jobs: Sequence[Sequence[str]], lacking: Sequence[int]) -> SettingError:
    """Return the problem of a key, with the choice that separates the jobs that have it from those that do not."""
    typed = _typed_override(where, jobs[lacking[0]])
    key, equals, value = typed.partition("=")
    having = [n for n in range(len(jobs)) if n not in set(lacking)]
    choices = [_choices(job) for job in jobs]
    varied = [name for name in choices[lacking[0]] if len({job.get(name) for job in choices}) > 1]
    for choice in varied:
        without, with_ = (list(dict.fromkeys(choices[n].get(choice, "") for n in those)) for those in (lacking, having))
        if not set(without) & set(with_):
            has, lacks = (" and ".join(f"{choice}={value}" for value in those) for those in (with_, without))
            return SettingError(
                key,
                value if equals else None,
                f"{has} {_have(with_)} this key, {lacks} {_have(without)} not. Two lines with the same name=... "
                f"are one sweep: one with {choice}={','.join(with_)} {typed}, "
                f"the other with {choice}={','.join(without)} and without {typed if not equals else key}",
            )
    job = " ".join(f"{name}={choices[lacking[0]][name]}" for name in varied)
    some = f"{len(having)} of {len(jobs)} jobs have this key, but not the job {job}"
    return SettingError(key, value if equals else None, f"{some}. Lines with the same name=... are one sweep")


def _choices(job: Sequence[str]) -> dict[str, str]:
    """Return the values of a job by key, except mappings."""
    pairs = (override.partition("=") for override in job)
    return {key: value for key, _, value in pairs if not value.startswith("{")}


def _typed_override(where: str, job: Sequence[str]) -> str:
    """Return the override that sets a key: its value, one inside it, or a mapping around it."""
    bare = where.lstrip("+~")
    for override in job:
        key, _, value = override.partition("=")
        key = key.lstrip("+~")
        if key == bare or key.startswith(f"{bare}.") or (bare.startswith(f"{key}.") and value.startswith("{")):
            return override
    return where


def _have(choices: Sequence[str]) -> str:
    return "has" if len(choices) == 1 else "have"
