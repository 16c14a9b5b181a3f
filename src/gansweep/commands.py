"""The command `gansweep` and its subcommands: `gansweep report outputs/mine` runs `gansweep.report.__main__.main`.

A line that begins with a setting or an option, as `gansweep -m lr=1e-3`, is a training, as with `python -m gansweep`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from gansweep.console import WRONG, say, say_error, versions


class Command(NamedTuple):
    """Subcommand: the module whose function `main(arguments)` returns the exit code, and one line of description."""

    module: str
    description: str


COMMANDS = {
    "train": Command("gansweep.cli.app", "train every combination of settings; the same line continues the sweep"),
    "status": Command("gansweep.status", "state of the cells of a sweep, as text or JSON"),
    "watch": Command("gansweep.watch", "follow a sweep that runs in another terminal, until no process trains"),
    "report": Command("gansweep.report.__main__", "verdicts, tables and figures as Markdown, CSV, JSON, LaTeX or HTML"),
    "results": Command("gansweep.results.__main__", "results as CSV, JSON or Parquet; merge sweeps; archive a sweep"),
    "sample": Command("gansweep.sample", "write generated images of a finished cell"),
    "export": Command("gansweep.export", "write a trained network to a file that is read without gansweep"),
    "measure": Command("gansweep.measure", "compute further metrics of finished cells"),
    "metrics": Command("gansweep.metrics.__main__", "Fréchet distance and KID of two folders of images"),
    "plane": Command("gansweep.plane.__main__", "figures of a sweep on two-dimensional data"),
    "schedules": Command("gansweep.cli.schedules", "plot learning-rate schedules without training"),
    "edge": Command("gansweep.cli.edge", "largest stable learning rates, from the linearized training step"),
    "check": Command("gansweep.cli.check", "test the contracts of a class of your own"),
    "dirac": Command("gansweep.dirac.__main__", "theory of the Dirac-GAN: tables, trajectories, phase diagrams"),
    "track": Command("gansweep.track.__main__", "GAN Track: tune, judge and submit an optimizer on a frozen task"),
    "papers": Command("gansweep.cli.papers", "list the experiments of papers, each with its command line"),
    "completion": Command("gansweep.completion", "print the completion script of a shell: bash, zsh or fish"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, by default that of this process, and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    first = words[0] if words else ""
    if first in ("", "help", "-h", "--help"):
        say(overview())
        return 0 if words else WRONG
    if first == "--version":
        say(versions())
        return 0
    _find_user_modules(words)
    if first in COMMANDS:
        return run(first, words[1:])
    if first[0] in "-+~" or "=" in first:
        return run("train", words)
    say_error(_unknown(first))
    return WRONG


def _find_user_modules(words: Sequence[str]) -> None:
    """Append the current directory to the import path if the user allows modules, as `python -m gansweep` does.

    The path of the script `gansweep` contains the directory of the script instead. The current directory comes last,
    so that a file in it replaces no installed module.
    """
    here = str(Path.cwd())
    allows = any(word.lstrip("+-").partition("=")[0] == "allow" for word in words)
    if allows and here not in sys.path and not getattr(sys.flags, "safe_path", False):
        sys.path.append(here)


def run(name: str, arguments: Sequence[str]) -> int:
    """Run a subcommand and return its exit code."""
    return import_module(COMMANDS[name].module).main(list(arguments))


def overview() -> str:
    """Return the list of all commands."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {command.description}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "usage: gansweep COMMAND [arguments]",
            "",
            *lines,
            "",
            "gansweep COMMAND --help describes a command, gansweep --version prints the versions.",
            "A line that begins with a setting or with -m is a training: gansweep -m optimizer=adam,sgd lr=1e-4,1e-3",
        ]
    )


def _unknown(name: str) -> str:
    near = get_close_matches(name, COMMANDS, 2, 0.6)
    hint = f"; did you mean {' or '.join(near)}?" if near else "."
    return f"gansweep {name}: unknown command{hint} Commands: {', '.join(COMMANDS)}"


if __name__ == "__main__":
    sys.exit(main())
