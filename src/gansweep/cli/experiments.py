"""Checks of `experiment=` for mistakes that Hydra would ignore or report misleadingly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from gansweep.cli import folders
from gansweep.config.errors import BadConfig, Problem

KEY = "experiment"
HEADER = "# @package _global_"


def check_experiments(overrides: Sequence[str], config_dir: str | None = None) -> None:
    """Check that a line has one `experiment=`, and that its files begin with the package header.

    Of two overrides Hydra would use the last. Without the header, Hydra would place the keys of a file below
    `experiment`, where no setting is read.

    Args:
        overrides: as typed; several experiments have commas between them.
        config_dir: directory with further YAML files.

    Raises:
        BadConfig: with all problems.
    """
    directories = [*([Path(config_dir)] if config_dir else []), folders.conf_dir()]
    typed = [value.strip() for key, _, value in (text.partition("=") for text in overrides) if key.strip() == KEY]
    problems = []
    if len(set(typed)) > 1:
        several = ",".join(dict.fromkeys(typed))
        problems.append(Problem(KEY, f"={typed[-1]}: given twice; expected one, or -m {KEY}={several} to train each"))
    for name in dict.fromkeys(part.strip() for value in typed for part in value.split(",")):
        file = next(_files(name, directories), None)
        if file is not None and not _has_header(file):
            problems.append(
                Problem(KEY, f"={name}: {file} must begin with the line {HEADER}, before any other comment")
            )
    if problems:
        raise BadConfig(problems)


def _files(name: str, directories: Sequence[Path]) -> Iterator[Path]:
    """Yield the existing YAML files of an experiment in the order of the directories."""
    return (path for directory in directories if (path := directory / KEY / f"{name}.yaml").is_file())


def _has_header(file: Path) -> bool:
    """Return whether Hydra finds a package header; it reads only the first line that is not empty."""
    lines = (line.strip() for line in file.read_text(encoding="utf-8", errors="replace").splitlines())
    first = next(filter(None, lines), "")
    return first.startswith("#") and first.lstrip("# ").startswith("@package ")
