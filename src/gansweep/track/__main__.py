"""GAN Track: python -m gansweep.track COMMAND, for example `try ring optimizer=adam lr=1e-2`.

Each command is a module of `gansweep.track.commands` with the functions `parser(name)`, which returns its
ArgumentParser, and `run(options)`, which returns the exit code. `parser` imports neither torch nor Hydra.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NamedTuple

from gansweep.config.errors import BadConfig
from gansweep.console import command_name, exit_code


class Command(NamedTuple):
    """Command: its module, one line of description, and what it did not do if its input is wrong."""

    module: str
    description: str
    omitted: str = "trained"


COMMANDS = {
    "list": Command("list_tracks", "list the tracks and their records"),
    "tune": Command("tune_entry", "choose an entry's settings with the tuning seeds"),
    "try": Command("try_entry", "train an entry with the judging seeds and print its score"),
    "submit": Command("submit_entry", "write the entry file of a sweep", "submitted"),
    "verify": Command("verify_entry", "check an entry file and repeat its trainings, or train new seeds", "verified"),
    "page": Command("write_page", "write the results of all tracks from their entries", "written"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    name = _parser().parse_args(words[:1]).command
    command = COMMANDS[name]
    module = import_module(f"gansweep.track.commands.{command.module}")
    options = module.parser(f"{command_name('track')} {name}").parse_intermixed_args(words[1:])
    return exit_code(lambda: reported(lambda: module.run(options), command.omitted))


def _parser() -> ArgumentParser:
    width = max(map(len, COMMANDS))
    parser = ArgumentParser(
        command_name("track"),
        formatter_class=RawDescriptionHelpFormatter,
        description="GAN Track: fewest generator steps to a target on frozen tasks. The rule: docs/track.md",
        epilog="\n".join(
            [
                "commands:",
                *(f"  {name:<{width}}  {command.description}" for name, command in COMMANDS.items()),
                "",
                "Each command has a --help. Exit codes: 0 success, 1 a training failed or an entry is refuted,",
                "2 wrong input, 3 not decided (verify).",
            ]
        ),
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="one of the commands below")
    return parser


if __name__ == "__main__":
    sys.exit(main())


def reported(work: Callable[[], int], omitted: str) -> int:
    """Run a command and return its exit code; print invalid settings as one block and return 2.

    The exit code of a training that failed, which has printed its errors, is returned unchanged.
    """
    try:
        return work()
    except BadConfig as error:
        from gansweep.cli.error_report import complain  # imports Hydra

        return complain(error.problems, omitted)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
