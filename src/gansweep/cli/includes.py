"""Checks of the defaults lists of the YAML files that a command line chooses.

Hydra raises a RecursionError if a file includes itself. It takes launcher and sweeper from the command line or
from conf/config.yaml only; an override of them in another file has no effect.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from gansweep.cli import folders
from gansweep.cli.experiments import KEY as EXPERIMENT
from gansweep.config.errors import BadConfig, Problem

CHOSEN_ONCE = ("hydra/", EXPERIMENT)  # groups that a file below conf/config.yaml can't override


def check_includes(overrides: Sequence[str], config_dir: str | None = None) -> None:
    """Refuse choices whose files include themselves, or override a group that they cannot override.

    Args:
        overrides: with presets in Hydra's spelling.
        config_dir: directory with further YAML files.

    Raises:
        BadConfig: with all problems.
    """
    if config_dir is None:  # the package's own files are tested
        return
    parts = (override.partition("=") for override in overrides)
    pairs = [(key.lstrip("+").partition("@")[0], value) for key, _, value in parts]
    walk = Walk([folders.conf_dir(), Path(config_dir)], {group for group, _ in pairs})
    for group, value in pairs:
        for name in value.split(","):
            walk(group, name.strip(), f"{group}={name.strip()}", ())
    if walk.problems:
        raise BadConfig(walk.problems)


class Walk:
    """Recursive check of defaults lists.

    Args:
        places: directories in the order of Hydra's search path.
        typed: groups that the command line chooses.
    """

    def __init__(self, places: Sequence[Path], typed: set[str]) -> None:
        self._places, self._typed = places, typed
        self._seen: set[str] = set()
        self.problems: list[Problem] = []

    def __call__(self, group: str, name: str, choice: str, above: tuple[str, ...]) -> None:
        """Check the file of one choice and the files that it includes; `above` are the files that include it."""
        path = f"{group}/{name}".strip("/")
        if path in above:
            self._refuse(choice, f"includes itself: {' -> '.join((*above[above.index(path) :], path))}")
            return
        file = next((file for place in self._places if (file := place / f"{path}.yaml").is_file()), None)
        if file is None or path in self._seen:
            return
        for inner, names, overrides in _defaults(file, path.rpartition("/")[0]):
            if overrides and inner.startswith(CHOSEN_ONCE):
                self._refuse_override(inner, names, choice, file)
                continue
            for inner_name in names:
                self(inner, inner_name, choice, (*above, path))
        self._seen.add(path)

    def _refuse_override(self, group: str, names: Sequence[str], choice: str, file: Path) -> None:
        name = ",".join(names) or "null"
        what = f"override /{group}: {name} in {file} has no effect"
        if group == EXPERIMENT:
            self._refuse(choice, f"{what}; include it without override")
        elif group not in self._typed:
            self._refuse(choice, f"{what}; remove it and type {group}={name}")

    def _refuse(self, choice: str, message: str) -> None:
        key, _, value = choice.partition("=")
        self.problems.append(Problem(key, f"={value}: {message}"))


def _defaults(file: Path, folder: str) -> Iterator[tuple[str, list[str], bool]]:
    """Yield (group, options, is an override) of every entry of a file's defaults list."""
    try:
        content: Any = OmegaConf.to_container(OmegaConf.load(file))
    except (YAMLError, OmegaConfBaseException, UnicodeDecodeError, OSError):  # Hydra reports the error
        return
    entries = content.get("defaults") if isinstance(content, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, str) and entry != "_self_":
            yield "", [_absolute(entry, folder)], False
        elif isinstance(entry, dict):
            for key, value in entry.items():
                *words, group = str(key).split()
                names = value if isinstance(value, list) else [value]
                yield _absolute(group, folder), [str(name) for name in names if name is not None], "override" in words


def _absolute(path: str, folder: str) -> str:
    path = path.partition("@")[0]
    return path.lstrip("/") if path.startswith("/") else f"{folder}/{path}".strip("/")
