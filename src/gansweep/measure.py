"""Further metrics of finished cells: python -m gansweep.measure outputs/mine metric=kid."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansweep.cli.error_report import complain
from gansweep.cli.hydra_app import composed
from gansweep.config.errors import BadConfig, SettingError
from gansweep.console import command_name, exit_code, path, say, say_error
from gansweep.formatting import number
from gansweep.terminal_layout import for_terminal

if TYPE_CHECKING:
    from gansweep.sweep.cell import Result
    from gansweep.trained.measure import Measurement

ACCEPTED = ("metric", "device", "allow")
EXPECTED = "has no effect on finished cells; expected metric=..., metric.KEY=..., device=... and allow=[...]"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the cells that the arguments name, print the table of the sweep, and return the exit code."""
    options = _parser().parse_intermixed_args(arguments)
    return exit_code(lambda: _measure(options))


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        command_name("measure"),
        description="Compute further metrics of the final generators of finished cells from their checkpoints, on the "
        "latents of their evaluations, and add them to record.json, results.csv, table.md and HPARAMS. Cells without "
        "final weights, and values that a record has already, are left out.",
        epilog="Exit codes: 0 all finished cells are measured, 1 some could not be measured, 2 wrong input. "
        "Example: %(prog)s outputs/mine metric=thumbnail metric.num_samples=2000",
    )
    parser.add_argument("folder", type=path, help="folder of a sweep, outputs/SWEEP, or of a cell, outputs/SWEEP/CELL")
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="metric=..., metric.KEY=..., device=...")
    parser.add_argument("--config-dir", "-cd", help="directory with further YAML files")
    return parser


def _measure(options: Namespace) -> int:
    """Measure everything that is missing, and return the exit code."""
    from gansweep.trained.cells import everything  # not above, so that --help does not import torch
    from gansweep.trained.measure import finished, measurements

    results = []
    for result, why_not in finished(everything(options.folder)):
        if why_not:
            say(f"left out: {why_not}")
        else:
            results.append(result)
    if not results:
        raise ValueError(f"{options.folder}: has no finished cell with final weights; nothing was measured")
    try:
        metrics, given = _metrics(options.overrides, options.config_dir)
        tasks = measurements(results, metrics, given.get("device"), given.get("allow") or [])
    except BadConfig as error:
        return complain(error.problems, "measured")
    failed = sum([_try(task) for task in tasks])
    _write_tables(results)
    return 1 if failed else 0


def _metrics(overrides: Sequence[str], config_dir: str | None) -> tuple[list[Mapping[str, Any]], dict[str, Any]]:
    """Return the configurations of all metrics of a command line, and its other settings.

    Raises:
        BadConfig: with all problems of the settings.
    """
    problems, metrics, given = list[SettingError](), [], {}
    for composition in composed(overrides, config_dir):
        problems += composition.problems
        unused = [key for key in composition.given if key.partition(".")[0] not in ACCEPTED]
        problems += [SettingError(key, composition.given[key], EXPECTED) for key in unused]
        if "metric" not in composition.given or composition.config.get("metric") is None:
            problems.append(SettingError("metric", None, "must be chosen: metric=..."))
        metrics.append(composition.config.get("metric"))
        given |= {key: composition.config.get(key) for key in ("device", "allow") if key in composition.given}
    if problems:
        raise BadConfig(problems)
    return metrics, given


def _try(task: Measurement) -> bool:
    """Measure one metric of one cell, print its value, and return whether that failed."""
    from gansweep.trained.measure import add, measured

    what = f"{task.result.cell.name}: {task.metric.name}"
    try:
        if task.is_known:
            say(f"{what} is in the record already")
            return False
        entry = add(task, *measured(task))
    except (ValueError, OSError) as error:
        say_error(f"{what} was not measured: {error}")
        return True
    say(f"{what} {entry['reason'] if entry['final'] is None else number(entry['final'])}")
    return False


def _write_tables(results: Sequence[Result]) -> None:
    """Write table.md, results.csv and HPARAMS of the sweeps of some cells, and print the tables."""
    from gansweep.results import table
    from gansweep.sweep.sweep import Sweep

    roots: dict[Path, None] = dict.fromkeys(result.cell.directory.parent for result in results)
    for root in roots:
        say(for_terminal(f"\n{table.write(Sweep(root, []))}"), end="")


if __name__ == "__main__":
    sys.exit(main())
