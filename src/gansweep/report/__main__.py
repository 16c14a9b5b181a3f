"""The report of a sweep: python -m gansweep.report outputs/mine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Write what the arguments ask for and return the exit code."""
    options = _parser().parse_args(arguments)
    # Here, so that --help does not wait.
    from gansweep.report.sections import sections
    from gansweep.report.study import Study
    from gansweep.sweep.table import table

    try:
        study = Study.read(options.sweep, options.metric)
        parts = [table(study.results, study.commands).rstrip()]
        parts += [f"## {section.title}\n\n{section.text.strip()}" for section in sections(study)]
        text = "\n\n".join(parts) + "\n"
        if options.out is None:
            print(text, end="")
        else:
            options.out.write_text(text, encoding="utf-8")
            print(f"wrote {options.out}")
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m gansweep.report", description="Tells what a sweep found, finished or not, from what lies on disk."
    )
    parser.add_argument("sweep", type=Path, help="directory of a sweep, such as outputs/mine")
    parser.add_argument("--metric", metavar="NAME", help="only cells measured by this metric, such as fd_digits")
    parser.add_argument("--out", type=Path, metavar="PATH", help="file to write (default: print it)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
