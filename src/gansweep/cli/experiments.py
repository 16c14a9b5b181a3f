"""Experiments and their presets on the command line: spelling, and checks of their YAML files.

The presets of an experiment, `scale=small` and `protocol=paper`, are YAML files at conf/scale/EXPERIMENT and
conf/protocol/EXPERIMENT. Hydra merges them after the experiment, so they may change all of its settings, choices of
groups included. Command-line overrides take precedence over both. Hydra's spelling of the choice is
`scale=EXPERIMENT/small`, and records contain this spelling. An experiment in a folder, such as coopnets_table1/exp_7,
has the presets of the folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from gansweep.cli.folders import conf_dir
from gansweep.config.errors import BadConfig, SettingError
from gansweep.sweep.identity import split_override
from gansweep.sweep.sweep_keys import EXPERIMENT

HEADER = "# @package _global_"
PRESETS = ("protocol", "scale")
CHOSEN_ONCE = ("hydra/", EXPERIMENT)  # groups that a file below conf/config.yaml can't override


def check_experiments(overrides: Sequence[str], config_dir: str | None = None) -> None:
    """Check that a line has one `experiment=`, and that its files begin with the package header.

    Of two overrides Hydra would use the last. Without the header, Hydra would place the keys of a file below
    `experiment`, where no setting is read.

    Raises:
        BadConfig: with all problems.
    """
    directories = [*([Path(config_dir)] if config_dir else []), conf_dir()]
    typed = [
        value.strip() for key, _, value in (text.partition("=") for text in overrides) if key.strip() == EXPERIMENT
    ]
    problems = []
    if len(set(typed)) > 1:
        several = ",".join(dict.fromkeys(typed))
        problems.append(
            SettingError(
                EXPERIMENT, typed[-1], f"given twice; expected one, or -m {EXPERIMENT}={several} to train each"
            )
        )
    for name in dict.fromkeys(part.strip() for value in typed for part in value.split(",")):
        file = next(_files(name, directories), None)
        if file is not None and not _has_header(file):
            problems.append(
                SettingError(EXPERIMENT, name, f"{file} must begin with the line {HEADER}, before any other comment")
            )
    if problems:
        raise BadConfig(problems)


def _files(name: str, directories: Sequence[Path]) -> Iterator[Path]:
    """Yield the existing YAML files of an experiment in the order of the directories."""
    return (path for directory in directories if (path := directory / EXPERIMENT / f"{name}.yaml").is_file())


def _has_header(file: Path) -> bool:
    """Return whether Hydra finds a package header; it reads only the first line that is not empty."""
    lines = (line.strip() for line in file.read_text(encoding="utf-8", errors="replace").splitlines())
    first = next(filter(None, lines), "")
    return first.startswith("#") and first.lstrip("# ").startswith("@package ")


def spelled_out(overrides: Sequence[str], config_dir: str | None = None) -> list[str]:
    """Return the overrides with presets in Hydra's spelling, and all others unchanged.

    Raises:
        BadConfig: the experiment has no such preset, or no presets.
    """
    places = [conf_dir(), *([Path(config_dir)] if config_dir else [])]
    experiments = [value for key, value in map(split_override, overrides) if key == "experiment"]
    problems, written = [], []
    for override in overrides:
        key, value = split_override(override)
        if key not in PRESETS or value == "null":
            written.append(override)
            continue
        try:
            names = [_name(key, name.strip(), experiments[-1:], places) for name in value.split(",")]
        except BadConfig as error:
            problems += error.problems
        else:
            written.append(f"{key}={','.join(names)}")
    if problems:
        raise BadConfig(problems)
    return written


def _name(preset: str, name: str, experiments: Sequence[str], places: Sequence[Path]) -> str:
    """Return Hydra's spelling of one preset of the experiment."""
    having = sorted({path.name for place in places for path in place.glob(f"{preset}/*") if path.is_dir()})
    if not experiments:
        example = f"e.g. experiment={having[0]}" if having else "none has any"
        raise SettingError(preset, name, f"requires an experiment, {example}")
    (experiment,) = experiments
    candidates = [_owned(preset, name_.strip(), places) for name_ in experiment.split(",")]
    owner, presets = candidates[0]
    if any(candidate != candidates[0] for candidate in candidates):
        raise SettingError(preset, name, f"requires one experiment, but experiment={experiment} are several")
    if not presets:
        others = f"; experiments with {preset}s: {', '.join(having)}"
        raise SettingError(preset, name, f"experiment={experiment} has no {preset}s{others}")
    plain = name.removeprefix(f"{owner}/")
    if plain not in presets:
        near = get_close_matches(plain, presets, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise SettingError(preset, name, f"{hint}Choose one of {', '.join(presets)}")
    return f"{owner}/{plain}"


def _owned(preset: str, experiment: str, places: Sequence[Path]) -> tuple[str, list[str]]:
    """Return (owner, presets) of an experiment, or of the nearest parent folder that has presets."""
    for owner in (experiment, *map(str, PurePosixPath(experiment).parents)):
        presets = sorted({path.stem for place in places for path in place.glob(f"{preset}/{owner}/*.yaml")})
        if presets and owner != ".":
            return owner, presets
    return experiment, []


def check_includes(overrides: Sequence[str], config_dir: str | None = None) -> None:
    """Refuse choices whose files include themselves, or override a group that they cannot override.

    Raises:
        BadConfig: with all problems.
    """
    if config_dir is None:  # the package's own files are tested
        return
    parts = (override.partition("=") for override in overrides)
    pairs = [(key.lstrip("+").partition("@")[0], value) for key, _, value in parts]
    includes = _Includes([conf_dir(), Path(config_dir)], {group for group, _ in pairs})
    for group, value in pairs:
        for name in value.split(","):
            includes(group, name.strip(), f"{group}={name.strip()}", ())
    if includes.problems:
        raise BadConfig(includes.problems)


class _Includes:
    """Recursive check of defaults lists."""

    def __init__(self, places: Sequence[Path], typed: set[str]) -> None:
        self._places, self._typed = places, typed
        self._seen: set[str] = set()
        self.problems: list[SettingError] = []

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
        self.problems.append(SettingError(key, value, message))


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
