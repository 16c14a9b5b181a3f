"""Export, merge and archive results: gansweep results outputs/mine, results merge A B --into C, results archive A."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gansweep.console import command_name, exit_code, path, say, say_error
from gansweep.formatting import is_folder_name, number

if TYPE_CHECKING:
    from gansweep.sweep.cell import Result

# Those of frame.py, repeated so that --help does not import pandas.
FORMATS, ROWS = ("csv", "json", "parquet"), ("runs", "evaluations")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a table, merge sweeps or write an archive, and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    name = words[0] if words and words[0] in COMMANDS else ""
    parser, run = COMMANDS[name] if name else (_export_parser, _export)
    options = parser().parse_args(words[bool(name) :])
    return exit_code(lambda: run(options))


def _export(options: argparse.Namespace) -> None:
    from gansweep.results.frame import export
    from gansweep.training import atomic

    if options.format == "parquet" and options.out is None:
        raise ValueError("--format parquet: requires a file, as --out results.parquet")
    content = export(_read(options.paths), options.rows, options.format)
    if options.out is None:
        say(content.decode(), end="")
        return
    atomic.write_output(options.out, content)
    say(f"wrote {options.out}")


def _read(paths: Sequence[Path]) -> list[Result]:
    from gansweep.results.frame import read

    with warnings.catch_warnings(record=True) as left_out:
        warnings.simplefilter("always")
        results = [result for path in paths for result in read(path)]
    for message in dict.fromkeys(str(warning.message) for warning in left_out):
        say_error(message)
    if not results:
        raise ValueError(f"{' '.join(map(str, paths))}: no records, expected a sweep, for example outputs/mine")
    return list({result.cell.directory: result for result in results}.values())


def _merge(options: argparse.Namespace) -> None:
    from gansweep.results import table
    from gansweep.results.archive import opened
    from gansweep.results.merge import Source, merge
    from gansweep.sweep.cell import cells

    with opened(options.sweeps) as directories:
        sources = [Source.read(path, directory) for path, directory in zip(options.sweeps, directories, strict=True)]
        sweep, num_twice = merge(sources, options.into)
    table.write(sweep)
    twice = f"; {cells(num_twice)} of several sources once" if num_twice else ""
    say(f"merged {cells(len(sweep.results))} into {options.into}{twice}")


def _archive(options: argparse.Namespace) -> None:
    from gansweep.report.__main__ import main as report
    from gansweep.results import archive, table
    from gansweep.sweep.sweep import existing

    root = options.sweep
    sweep = existing(root)
    out = options.out or root.resolve().with_name(f"{root.resolve().name}{archive.SUFFIX}")
    if not is_folder_name(out.name) or not out.parent.is_dir():
        raise ValueError(f"--out {out}: expected a new file in an existing folder")
    if out.exists():
        raise ValueError(f"--out {out}: exists already, expected a new file")
    table.write(sweep)
    report([str(root), "--format", "html"])
    num_files = archive.write(root, out)
    say(f"wrote {out}: {num_files} files, {number(out.stat().st_size / 2**20)} MiB")


def _export_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        command_name("results"),
        description="Write the results of sweeps as one table. Other commands: "
        "`results merge A B --into C` copies the cells of several sweeps into a new one, "
        "`results archive A` writes a sweep to one zip file without checkpoints; both have a --help.",
    )
    parser.add_argument(
        "paths", type=path, nargs="+", metavar="PATH", help="sweep, folder of sweeps or archive, for example outputs"
    )
    parser.add_argument("--format", choices=FORMATS, default="csv", help="format (default: csv)")
    parser.add_argument(
        "--rows",
        choices=ROWS,
        default="runs",
        help="one row per run with its final and best value, or one per evaluation of each run (default: runs)",
    )
    parser.add_argument("--out", type=path, metavar="FILE", help="file to write (default: standard output)")
    return parser


def _merge_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        f"{command_name('results')} merge",
        description="Copy the cells of several sweeps, with their checkpoints, into a new directory, and write its "
        "table. Sources are not changed. Refused are cells with equal hashes and different values, other versions of "
        "the arithmetic or of edited code, and cells that are being trained.",
    )
    parser.add_argument("sweeps", type=path, nargs="+", metavar="SWEEP", help="directory or archive of a sweep")
    parser.add_argument("--into", type=path, required=True, metavar="DIR", help="new directory")
    return parser


def _archive_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        f"{command_name('results')} archive",
        description="Write table and report of a sweep, and put them with the records and the last and best samples of "
        "every cell into one zip file, which `gansweep report`, `gansweep results` and gansweep.results.load read.",
    )
    parser.add_argument("sweep", type=path, help="directory of a sweep, for example outputs/mine")
    parser.add_argument("--out", type=path, metavar="FILE", help="a new file (default: <sweep>.zip beside the sweep)")
    return parser


COMMANDS: dict[str, tuple[Callable[[], argparse.ArgumentParser], Callable[[argparse.Namespace], None]]] = {
    "merge": (_merge_parser, _merge),
    "archive": (_archive_parser, _archive),
}


if __name__ == "__main__":
    sys.exit(main())
