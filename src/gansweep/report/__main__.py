"""The report of a sweep: python -m gansweep.report outputs/mine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from gansweep.console import exit_code, make_folder, path, say
from gansweep.formatting import visible

# Those of formats.FORMATS, which are not imported for --help.
FORMATS = ("md", "csv", "json", "latex", "html")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write what the arguments ask for and return the exit code."""
    options = _parser().parse_args(arguments)
    return exit_code(lambda: _report(options))


def _report(options: argparse.Namespace) -> None:
    # Here, so that --help does not wait.
    from gansweep.report import formats
    from gansweep.report.study import Study

    study = Study.read(options.sweep, options.metric)
    wish = formats.Wish(options.select, _keys(options.rows), options.cols, _keys(options.group))
    out = options.out
    if out is None and options.format == "html":
        out = options.sweep / "report.html"
    text = visible(formats.FORMATS[options.format](study, wish, options.sweep if out is None else out.parent))
    if options.pictures is not None:
        make_folder("--pictures", options.pictures)
        for picture in formats.pictures(study, wish, options.pictures):
            say(f"wrote {picture}")
    if out is not None:
        _write(out, text)
        say(f"wrote {out}")
    else:
        say(text, end="")


def _write(path: Path, text: str) -> None:
    """Put a report at its place, in a folder that may be new."""
    from gansweep.training import atomic

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write(path, text)
    except OSError as error:
        raise ValueError(f"--out {path}: can't be written: {error.strerror or error}") from error


def _keys(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in text.split(","))))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m gansweep.report", description="Tells what a sweep found, finished or not, from what lies on disk."
    )
    parser.add_argument("sweep", type=path, help="directory of a sweep, such as outputs/mine")
    parser.add_argument(
        "--format", choices=FORMATS, default="md", help="html is one file with everything, <sweep>/report.html"
    )
    parser.add_argument("--metric", metavar="NAME", help="only cells measured by this metric, such as fd_digits")
    parser.add_argument(
        "--select", choices=("final", "best"), default="final", help="judge runs by the last evaluation or by the best"
    )
    parser.add_argument("--rows", metavar="KEYS", default="", help="settings down, such as optimizer,loss")
    parser.add_argument("--cols", metavar="KEY", help="setting across, such as lr")
    parser.add_argument("--group", metavar="KEYS", default="seed", help="what runs are averaged over (default: seed)")
    parser.add_argument("--pictures", type=path, metavar="DIR", help="also write every picture there, as PNG and SVG")
    parser.add_argument("--out", type=path, metavar="PATH", help="file to write (default: print it)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
