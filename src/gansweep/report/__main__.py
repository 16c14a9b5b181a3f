"""Command line of the sweep report: python -m gansweep.report outputs/mine."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gansweep.console import command_name, exit_code, make_folder, path, say
from gansweep.formatting import visible
from gansweep.terminal_layout import for_terminal

if TYPE_CHECKING:
    from gansweep.report.study import Study

# The keys of formats.FORMATS, repeated here so that --help does not import that module.
FORMATS = ("md", "csv", "json", "latex", "html")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the requested report and return the exit code."""
    options = _parser().parse_args(arguments)
    return exit_code(lambda: _report(options))


def _report(options: argparse.Namespace) -> None:
    from gansweep.results.archive import opened

    try:
        with opened(options.sweeps) as directories:
            _write_report(options, directories)
    finally:
        gc.unfreeze()


def _read(options: argparse.Namespace, directories: Sequence[Path]) -> Study:
    """Read the sweeps without garbage collections, and exclude their records from later ones.

    Records are millions of objects without cycles, which every collection would visit.
    """
    from gansweep.report.study import Study

    gc.disable()
    try:
        study = Study.read(*directories, metric=options.metric, where=options.where)
        gc.freeze()
    finally:
        gc.enable()
    return study


def _write_report(options: argparse.Namespace, directories: Sequence[Path]) -> None:
    """Write the report of sweeps; `directories` are theirs, also of archives."""
    # Imported here so that --help stays fast.
    from gansweep.report import formats
    from gansweep.report.comparison import compare
    from gansweep.report.verdict import Margin
    from gansweep.sweep.sweep_keys import SEEDS
    from gansweep.training import atomic

    study = _read(options, directories)
    if options.top is not None and options.top < 1:
        raise ValueError(f"--top {options.top}: expected a whole number above 0")
    margin = None if options.margin is None else Margin.parse(options.margin)
    table_options = formats.TableOptions(
        options.select,
        _keys(options.rows),
        options.cols,
        _keys(options.group) if options.group is not None else SEEDS,
        margin,
        _keys(options.tasks),
        options.top,
    )
    if options.compare:
        say(for_terminal(compare(formats.judge(study, table_options), *options.compare)))
        return
    out = options.out
    if out is None and options.format == "html":
        out = _page(options.sweeps)
    folder = options.sweeps[0] if out is None else out.parent
    if options.sweeps[0].is_file():  # links are valid where the archive is unpacked beside the page
        folder = directories[0].parent
    text = visible(formats.FORMATS[options.format](study, table_options, folder))
    if options.pictures is not None:
        make_folder("--pictures", options.pictures)
        for picture in formats.write_pictures(study, table_options, options.pictures):
            say(f"wrote {picture}")
    if out is not None:
        atomic.write_output(out, text)
        say(f"wrote {out}")
    else:
        say(for_terminal(text) if options.format == "md" else text, end="")


def _page(sweeps: Sequence[Path]) -> Path:
    """Return the default file of the HTML page."""
    if len(sweeps) > 1:
        raise ValueError("--format html: several sweeps have no common directory, expected --out PATH")
    return sweeps[0].with_suffix(".html") if sweeps[0].is_file() else sweeps[0] / "report.html"


def _keys(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in text.split(","))))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        command_name("report"),
        description="Write a report of finished or unfinished sweeps from their files on disk; several are joined.",
    )
    parser.add_argument(
        "sweeps",
        type=path,
        nargs="+",
        metavar="sweep",
        help="directory or archive of a sweep, for example outputs/mine",
    )
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="md",
        help="output format (default: md); html writes one self-contained file, <sweep>/report.html",
    )
    parser.add_argument(
        "--metric", metavar="NAME", help="use only the cells measured by this metric, for example fd_digits"
    )
    parser.add_argument(
        "--select",
        choices=("final", "best"),
        default="final",
        help="compare runs by their last or by their best evaluation (default: final)",
    )
    _add_table_options(parser)
    parser.add_argument(
        "--pictures",
        type=path,
        metavar="DIR",
        help="also write every figure to this folder as PNG and SVG, for example rates_by_optimizer.png",
    )
    parser.add_argument("--out", type=path, metavar="PATH", help="file to write (default: standard output)")
    return parser


def _add_table_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the selection of cells and of their comparison."""
    parser.add_argument(
        "--rows", metavar="KEYS", default="", help="settings of the table rows, for example optimizer,loss"
    )
    parser.add_argument("--cols", metavar="KEY", help="setting of the table columns, for example lr")
    parser.add_argument("--group", metavar="KEYS", help="settings to average over (default: the seeds)")
    parser.add_argument(
        "--where",
        metavar="CONDITION",
        default="",
        help='use only the cells with these settings, for example "optimizer=adam,sgd and lr<1e-2"',
    )
    parser.add_argument(
        "--margin",
        metavar="SIZE",
        help="test for equivalence: means that differ by less do not matter; in units of the metric or, as 2%%, in "
        "percent of the best mean",
    )
    parser.add_argument(
        "--tasks",
        metavar="KEYS",
        default="",
        help="settings that define the tasks of the section Over tasks (default: those of data, model, loss that vary)",
    )
    parser.add_argument("--top", type=int, metavar="N", help="list only the first N ranks of the verdict")
    parser.add_argument(
        "--compare",
        nargs=2,
        metavar=("A", "B"),
        help='compare two configurations only, for example "optimizer=adam" "optimizer=sgd"',
    )


if __name__ == "__main__":
    sys.exit(main())
