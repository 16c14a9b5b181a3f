"""Presets of an experiment: `scale=small`, `protocol=paper`.

The presets of an experiment are YAML files at conf/scale/EXPERIMENT and conf/protocol/EXPERIMENT. Hydra
merges them after the experiment, so they may change all of its settings, choices of groups included.
Command-line overrides take precedence over both. Hydra's spelling of the choice is `scale=EXPERIMENT/small`,
and records contain this spelling. An experiment in a folder, such as coopnets_table1/exp_7, has the
presets of the folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

from gansweep.cli import folders
from gansweep.config.errors import BadConfig, Problem

PRESETS = ("protocol", "scale")


def spelled_out(overrides: Sequence[str], config_dir: str | None = None) -> list[str]:
    """Return the overrides with presets in Hydra's spelling, and all others unchanged.

    Args:
        overrides: as typed; several values of one key have commas between them.
        config_dir: directory with further YAML files.

    Raises:
        BadConfig: the experiment has no such preset, or no presets.
    """
    places = [folders.conf_dir(), *([Path(config_dir)] if config_dir else [])]
    experiments = [value for key, value in map(_split, overrides) if key == "experiment"]
    problems, written = [], []
    for override in overrides:
        key, value = _split(override)
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
        raise BadConfig([Problem(preset, f"={name}: requires an experiment, {example}")])
    (experiment,) = experiments
    candidates = [_owned(preset, name_.strip(), places) for name_ in experiment.split(",")]
    owner, presets = candidates[0]
    if any(candidate != candidates[0] for candidate in candidates):
        raise BadConfig([Problem(preset, f"={name}: requires one experiment, but experiment={experiment} are several")])
    if not presets:
        others = f"; experiments with {preset}s: {', '.join(having)}"
        raise BadConfig([Problem(preset, f"={name}: experiment={experiment} has no {preset}s{others}")])
    plain = name.removeprefix(f"{owner}/")
    if plain not in presets:
        near = get_close_matches(plain, presets, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise BadConfig([Problem(preset, f"={name}: {hint}Choose one of {', '.join(presets)}")])
    return f"{owner}/{plain}"


def _owned(preset: str, experiment: str, places: Sequence[Path]) -> tuple[str, list[str]]:
    """Return (owner, presets) of an experiment, or of the nearest parent folder that has presets."""
    for owner in (experiment, *map(str, PurePosixPath(experiment).parents)):
        presets = sorted({path.stem for place in places for path in place.glob(f"{preset}/{owner}/*.yaml")})
        if presets and owner != ".":
            return owner, presets
    return experiment, []


def _split(override: str) -> tuple[str, str]:
    key, _, value = override.partition("=")
    return key.strip(), value.strip()
