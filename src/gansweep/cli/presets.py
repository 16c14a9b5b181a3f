"""Settings that mean something else in every experiment: `scale=small`, `protocol=paper`.

An experiment's presets are YAML files at conf/scale/EXPERIMENT and conf/protocol/EXPERIMENT. Hydra
merges them after the experiment, so they may change whatever it sets, other choices of groups too, and
what is typed outranks both. To Hydra the choice is `scale=EXPERIMENT/small`, which is what records say.
An experiment inside a folder, such as coopnets_table1/exp_7, has those of the folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

from gansweep.cli import folders
from gansweep.config.errors import BadConfig, Problem

PRESETS = ("protocol", "scale")


def spelled_out(overrides: Sequence[str], config_dir: str | None = None) -> list[str]:
    """Write the presets of a line as Hydra finds them, and leave the rest.

    Args:
        overrides: as they are typed; several values of one key have commas between them.
        config_dir: further YAML files.

    Raises:
        BadConfig: the experiment has no such preset, or none at all.
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
    """Find one preset of the experiment."""
    having = sorted({path.name for place in places for path in place.glob(f"{preset}/*") if path.is_dir()})
    if not experiments:
        example = f"e.g. experiment={having[0]}" if having else "none has any"
        raise BadConfig([Problem(preset, f"={name}: belongs to an experiment; choose one too, {example}")])
    (experiment,) = experiments
    found = [_owned(preset, one.strip(), places) for one in experiment.split(",")]
    owner, own = found[0]
    if any(one != found[0] for one in found):
        raise BadConfig(
            [Problem(preset, f"={name}: belongs to one experiment, and experiment={experiment} are several")]
        )
    if not own:
        others = f"; those that have: {', '.join(having)}"
        raise BadConfig([Problem(preset, f"={name}: experiment={experiment} has no {preset}s{others}")])
    plain = name.removeprefix(f"{owner}/")
    if plain not in own:
        near = get_close_matches(plain, own, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise BadConfig([Problem(preset, f"={name}: {hint}Choose one of {', '.join(own)}")])
    return f"{owner}/{plain}"


def _owned(preset: str, experiment: str, places: Sequence[Path]) -> tuple[str, list[str]]:
    """List the presets of an experiment, or of the nearest folder around it, and say whose they are."""
    for owner in (experiment, *map(str, PurePosixPath(experiment).parents)):
        own = sorted({path.stem for place in places for path in place.glob(f"{preset}/{owner}/*.yaml")})
        if own and owner != ".":
            return owner, own
    return experiment, []


def _split(override: str) -> tuple[str, str]:
    key, _, value = override.partition("=")
    return key.strip(), value.strip()
