"""Export a trained network: python -m gansweep.export outputs/mine lr=1e-3 --out generator.safetensors."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from gansweep.console import command_name, exit_code, path, say
from gansweep.trained.options import add_options, check_new_file, loaded

PLAYERS = ("generator", "discriminator")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file and return the exit code."""
    options = _parser().parse_intermixed_args(arguments)
    return exit_code(lambda: _export(options))


def _export(options: argparse.Namespace) -> None:
    from gansweep.trained.export import WRITERS, export  # not above, so that --help does not import torch

    check_new_file(options.out, WRITERS)
    text = export(loaded(options), options.out, options.player, options.raw)
    say(f"wrote {options.out}: {text}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        command_name("export"),
        description="Write the trained generator of a finished cell to a file that is read without gansweep. "
        "FILE.safetensors holds the weights, with the names of torch.nn and the definition of the module in its "
        "metadata; FILE.pt2 holds the module too: torch.export.load(FILE).module().",
        epilog="Example: %(prog)s outputs/mine lr=1e-3 seed=0 --out generator.safetensors",
    )
    add_options(parser)
    parser.add_argument("--out", type=path, required=True, metavar="FILE", help="file to write: .safetensors or .pt2")
    parser.add_argument("--player", choices=PLAYERS, default="generator", help="network (default: %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
