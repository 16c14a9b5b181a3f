"""Merging of sweeps: copies of the cells of several sweeps in one new directory."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gansweep.code_identity import OURS
from gansweep.console import make_folder
from gansweep.formatting import first_of, is_folder_name
from gansweep.sweep import sweep_directory
from gansweep.sweep.cell import Result, State
from gansweep.sweep.identity import canonical
from gansweep.sweep.sweep import EXPECTED, FORMAT, Sweep
from gansweep.training import atomic, record

# Files of running processes, which are not copied.
OF_PROCESSES = (".claim.*", ".draft.*", ".trial.*", f".*{atomic.UNFINISHED}")
RELEASED = "released"  # instead of the hash of a module that was not edited
# The most advanced copy of a cell first; cells that are being trained are refused.
ORDER = (
    *(State.COMPLETED, State.DIVERGED, State.DROPPED, State.FAILED),
    *(State.RESUMABLE, State.CLAIMED, State.NEW),
)


@dataclass(frozen=True)
class Source:
    """A sweep to merge: its path as it was given, and its cells."""

    path: Path
    sweep: Sweep
    results: Sequence[Result]

    @classmethod
    def read(cls, path: Path, directory: Path) -> Source:
        """Read a sweep.

        Args:
            path: as given by the user, for messages.
            directory: its directory.

        Raises:
            ValueError: it is not the directory of a sweep.
        """
        sweep = Sweep(directory, [])
        results = sweep.results if directory.is_dir() else []
        if not results:
            raise ValueError(f"{path}: contains no cells, {EXPECTED}")
        return cls(path, sweep, results)


def merge(sources: Sequence[Source], target: Path) -> tuple[Sweep, int]:
    """Copy the cells of all sources into a new directory; return its sweep and the number of cells present twice.

    Of a cell in several sources the most advanced copy is used: finished before unfinished, then in the order of the
    sources. Sources are not changed. The directory appears when all cells have been copied.

    Raises:
        ValueError: with a line for every conflict; nothing has been written.
        OSError: a file can't be copied.
    """
    _check_target(target, [source.sweep.root for source in sources])
    if problems := [*_running(sources), *_other_code(sources), *_conflicts(sources), *_equal_names(sources)]:
        raise ValueError("\n  ".join(["Nothing was merged.", *first_of(problems)]))
    chosen = {hash_: min(copies, key=_place)[1] for hash_, copies in _copies(sources).items()}
    make_folder("--into", target.parent)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
        root = Path(folder) / target.name
        root.mkdir()
        for result in chosen.values():
            cell = result.cell
            if cell.directory.is_dir():
                _copy(cell.directory, root / cell.name)
        _write(root, sources, list(chosen.values()))
        root.rename(target)
    return Sweep(target, []), sum(len(source.results) for source in sources) - len(chosen)


def _check_target(target: Path, roots: Sequence[Path]) -> None:
    """Raise ValueError if a path is not that of a new directory, or is inside one of the sweeps."""
    if not is_folder_name(target.name) and target.name:
        raise ValueError(f"--into {target}: expected the path of a new directory")
    if target.exists() or target.is_symlink():
        raise ValueError(f"--into {target}: exists already, expected a new directory")
    parents = target.resolve().parents
    if inside := next((root for root in roots if root.resolve() in parents), None):
        raise ValueError(f"--into {target}: is inside {inside}, expected a new directory beside it")


def _copy(directory: Path, target: Path) -> None:
    """Copy the directory of a cell.

    Raises:
        OSError: a file can't be copied.
    """
    try:
        shutil.copytree(directory, target, ignore=shutil.ignore_patterns(*OF_PROCESSES))
    except shutil.Error as error:  # its message is a list of all files
        source, _, reason = error.args[0][0]
        raise OSError(f"{source} can't be copied: {reason}") from error


def _copies(sources: Sequence[Source]) -> dict[str, list[tuple[Source, Result]]]:
    """Return the copies of every cell, by its hash."""
    copies: dict[str, list[tuple[Source, Result]]] = {}
    for source in sources:
        for result in source.results:
            copies.setdefault(result.cell.hash, []).append((source, result))
    return copies


def _place(copy: tuple[Source, Result]) -> int:
    return ORDER.index(copy[1].state)


def _running(sources: Sequence[Source]) -> Iterator[str]:
    for source in sources:
        running = [result.cell.name for result in source.results if result.state is State.CLAIMED]
        if running:
            yield f"{source.path}: a process trains {_list(running)}; wait until it ends, or stop it"


def _other_code(sources: Sequence[Source]) -> Iterator[str]:
    """Yield a line for different versions of the arithmetic, and for each module with different versions."""
    numerics = {source.path: _versions(source) for source in sources}
    if len({frozenset(versions) for versions in numerics.values()}) > 1:
        yield "different versions of the arithmetic (numerics): " + "; ".join(
            f"{path} {', '.join(sorted(versions))}" for path, versions in numerics.items()
        )
    for module in dict.fromkeys(module for source in sources for module in source.sweep.code):
        # A module of gansweep that is not listed was not edited; one of the user was not used.
        is_ours = module.partition(".")[0] == OURS
        hashes = {s.path: s.sweep.code.get(module, RELEASED) for s in sources if is_ours or module in s.sweep.code}
        if len(set(hashes.values())) > 1:
            versions = "; ".join(f"{path} {version[:8]}" for path, version in hashes.items())
            yield f"different versions of the code of {module}: {versions}"


def _versions(source: Source) -> set[str]:
    return {str(result.cell.identity.get("numerics")) for result in source.results}


def _conflicts(sources: Sequence[Source]) -> Iterator[str]:
    """Yield a line for every cell whose finished copies have different numbers."""
    for copies in _copies(sources).values():
        finished = [(source, result) for source, result in copies if result.state.is_result]
        for source, result in finished[1:]:
            first, other = _numbers(finished[0][1]), _numbers(result)
            different = next((key for key in first if first[key] != other[key]), None)
            if different is not None:
                values = [f"{s.path} {_final(r)}" for s, r in (finished[0], (source, result))]
                yield f"{result.cell.name}: the same cell has another {different} in {' and '.join(values)}"


def _numbers(result: Result) -> dict[str, Any]:
    """Return the fields of a record that the identity of the cell determines, and that all versions write."""
    content: Mapping[str, Any] = result.record or {}
    fields = {key: content.get(key) for key in ("state", "steps", "divergence")}
    values = {f"metric{n}": [(e["step"], e.get(f"value{n}")) for e in result.evaluations] for n in ("", "_2")}
    return canonical(fields | values)


def _final(result: Result) -> str:
    return f"({result.trouble or f'final {result.final!r}'})"


def _equal_names(sources: Sequence[Source]) -> Iterator[str]:
    """Yield a line for every directory name of different cells."""
    names: dict[str, dict[str, Path]] = {}
    for copies in _copies(sources).values():
        source, result = min(copies, key=_place)
        names.setdefault(result.cell.name, {})[result.cell.hash] = source.path
    for name, paths in names.items():
        if len(paths) > 1:
            yield f"{name}: different cells have this name in {' and '.join(map(str, paths.values()))}"


def _write(root: Path, sources: Sequence[Source], chosen: Sequence[Result]) -> None:
    """Write sweep.json with the cells and command lines of all sources."""
    content = {
        "format": FORMAT,
        "commands": list(dict.fromkeys(line for source in sources for line in source.sweep.commands)),
        "versions": record.versions(),
        "code": {name: version for source in sources for name, version in source.sweep.code.items()},
        "cells": [result.cell.as_dict() for result in chosen],
    }
    atomic.write(root / sweep_directory.FROZEN, json.dumps(content, indent=1, default=str) + "\n")


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
