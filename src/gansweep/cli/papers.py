"""List of the experiments of papers, each with its command line: gansweep papers."""

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
    """Print the list and return the exit code."""
    argparse.ArgumentParser(
        "gansweep papers",
        description="List the experiments of papers in conf/experiment, each with the command line that trains it. "
        "plan=true shows the cells and their cost; gansweep report outputs/NAME compares printed and measured numbers.",
    ).parse_args(list(arguments))
    return exit_code(lambda: say("\n\n".join(map(entry, sorted((conf_dir() / "experiment").glob("*.yaml"))))))


def entry(file: Path) -> str:
    """Return the name, the description and the first command line of an experiment, from the comment of its file."""
    lines = file.read_text().removeprefix(HEADER).strip().splitlines()
    comment = list(takewhile(lambda line: line.startswith("#"), lines))
    command = next((line for line in comment if line.startswith(COMMAND)), "")
    text = " ".join(line.removeprefix("#").strip() for line in comment if "python -m gansweep" not in line)
    shown = [textwrap.fill(text, 100, initial_indent="  ", subsequent_indent="  ")] if text else []
    return "\n".join([file.stem, *shown, "  " + re.split(r"\s{2,}", command.removeprefix("# "))[0]])
