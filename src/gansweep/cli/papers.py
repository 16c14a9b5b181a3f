"""List of the experiments of papers, and verdicts on their statements: gansweep papers [outputs/NAME ...]."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from gansweep.cli.experiments import HEADER
from gansweep.cli.folders import conf_dir
from gansweep.console import exit_code, say

COMMAND = "# python -m gansweep "


def main(arguments: Sequence[str]) -> int:
    """Print the list, or the verdicts by the runs of sweeps, and return the exit code."""
    parser = argparse.ArgumentParser(
        "gansweep papers",
        description="List the experiments of papers in conf/experiment, each with the command line that trains it. "
        "plan=true shows the cells and their cost; gansweep report outputs/NAME compares printed and measured numbers. "
        "With directories of sweeps: verdicts on the statements of the papers by these runs.",
    )
    parser.add_argument("sweeps", nargs="*", type=Path, metavar="outputs/NAME", help="directory of a sweep")
    sweeps = parser.parse_args(list(arguments)).sweeps
    return exit_code(lambda: say("\n\n".join(map(verdicts, sweeps)) if sweeps else listing()))


def listing() -> str:
    """Return the list of the experiments."""
    return "\n\n".join(map(entry, sorted((conf_dir() / "experiment").glob("*.yaml"))))


def verdicts(sweep: Path) -> str:
    """Return the verdict on every statement that the runs of a sweep test, one line each."""
    from gansweep.papers.statements import STATEMENTS, outcomes

    lines = [f"{outcome.statement.claim}: {outcome.line()}" for outcome in outcomes(sweep)]
    known = ", ".join(dict.fromkeys(statement.experiment for statement in STATEMENTS))
    nothing = f"no finished run of an experiment with a statement: {known}"
    return "\n".join([f"{sweep}:", *(f"- {line.replace('**', '').replace('`', '')}" for line in lines or [nothing])])


def entry(file: Path) -> str:
    """Return the name, the description and the first command line of an experiment, from the comment of its file."""
    lines = file.read_text().removeprefix(HEADER).strip().splitlines()
    comment = list(takewhile(lambda line: line.startswith("#"), lines))
    command = next((line for line in comment if line.startswith(COMMAND)), "")
    text = " ".join(line.removeprefix("#").strip() for line in comment if "python -m gansweep" not in line)
    shown = [textwrap.fill(text, 100, initial_indent="  ", subsequent_indent="  ")] if text else []
    return "\n".join([file.stem, *shown, "  " + re.split(r"\s{2,}", command.removeprefix("# "))[0]])
