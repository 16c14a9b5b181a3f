"""Command-line options of `gansweep sample` and `gansweep export` that name a cell and a new file."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from gansweep.console import allowed_modules, path

if TYPE_CHECKING:
    from gansweep.trained.pair import TrainedPair


def add_options(parser: ArgumentParser) -> None:
    """Add the options from which `loaded` loads a cell."""
    parser.add_argument("cell", type=path, help="folder of a cell, outputs/SWEEP/CELL, or of a sweep")
    parser.add_argument(
        "selection", nargs="*", metavar="KEY=VALUE", help="settings that one cell of the sweep has, for example lr=1e-3"
    )
    parser.add_argument("--raw", action="store_true", help="trained parameters instead of those that are evaluated")
    parser.add_argument(
        "--best", action="store_true", help="weights at the best evaluation, of cells trained with trainer.keep=best"
    )
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="MODULE",
        help="allow classes from this module in the config; allow=[MODULE] does the same",
    )


def loaded(options: Namespace) -> TrainedPair:
    """Return the networks that the options name."""
    from gansweep.trained.pair import load  # not above, so that --help does not import torch

    which = "best" if options.best else "final"
    selection = [text for text in options.selection if not text.startswith("allow=")]
    allow = [*options.allow, *allowed_modules(options.selection)]
    return load(options.cell, *selection, raw=options.raw, which=which, allow=allow)


def check_new_file(path: Path, suffixes: Collection[str]) -> None:
    """Raise ValueError if a path is not that of a new file with one of some suffixes."""
    if path.suffix not in suffixes:
        raise ValueError(f"--out {path}: expected a file that ends in {' or '.join(suffixes)}")
    if path.exists():
        raise ValueError(f"--out {path}: exists already; expected the path of a new file")
    if not path.parent.is_dir():
        raise ValueError(f"--out {path}: {path.parent} is not a folder")
