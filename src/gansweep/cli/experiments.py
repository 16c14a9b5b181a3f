"""What can be wrong with `experiment=` before Hydra reads it, and would be told as something else after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from gansweep.cli import folders
from gansweep.config.errors import BadConfig, Problem

KEY = "experiment"
HEADER = "# @package _global_"


def check_experiments(overrides: Sequence[str], config_dir: str | None = None) -> None:
    """See that a line asks for one experiment, or several with commas, whose keys belong at the top.

    Hydra would take the last of two; and the keys of a YAML file without the header would be settings of a
    part called `experiment`, which there is not.

    Args:
        overrides: as they are typed.
        config_dir: further YAML files.

    Raises:
        BadConfig: with all that is wrong.
    """
    places = [*([Path(config_dir)] if config_dir else []), folders.conf_dir()]
    typed = [value.strip() for key, _, value in (one.partition("=") for one in overrides) if key.strip() == KEY]
    problems = []
    if len(set(typed)) > 1:
        several = ",".join(dict.fromkeys(typed))
        problems.append(Problem(KEY, f"={typed[-1]}: typed twice; expected one, or -m {KEY}={several} to train each"))
    for name in dict.fromkeys(part.strip() for value in typed for part in value.split(",")):
        file = next(_files(name, places), None)
        if file is not None and not _has_header(file):
            problems.append(
                Problem(KEY, f"={name}: {file} has to begin with the line {HEADER}, before any other comment")
            )
    if problems:
        raise BadConfig(problems)


def _files(name: str, places: Sequence[Path]) -> Iterator[Path]:
    """Find the YAML file of an experiment, the user's own first."""
    return (path for place in places if (path := place / KEY / f"{name}.yaml").is_file())


def _has_header(file: Path) -> bool:
    """Tell whether Hydra sees a package: it looks no further than the first line that is not empty."""
    lines = (line.strip() for line in file.read_text(encoding="utf-8", errors="replace").splitlines())
    first = next(filter(None, lines), "")
    return first.startswith("#") and first.lstrip("# ").startswith("@package ")
