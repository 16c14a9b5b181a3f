"""Write generated images: python -m gansweep.sample outputs/mine lr=1e-3 --num 50000 --out images."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from gansweep.console import command_name, exit_code, path, say
from gansweep.trained.options import add_options, loaded

WIDTH = 40  # characters of the progress bar


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the images and return the exit code."""
    options = _parser().parse_intermixed_args(arguments)
    return exit_code(lambda: _sample(options))


def _sample(options: argparse.Namespace) -> None:
    from gansweep.trained.image_folder import check_folder, write_images  # not above: --help does not import torch

    for name in ("num", "batch_size"):
        if getattr(options, name) < 1:
            raise ValueError(f"--{name.replace('_', '-')} {getattr(options, name)}: expected 1 or more")
    check_folder(options.out)
    pair = loaded(options)
    if options.device != "cpu":
        from gansweep import device

        pair.generator.to(device.resolve(options.device))
    write_images(pair, options.out, options.num, options.seed, options.batch_size, progress)
    say(f"wrote {options.num} images of {pair.result.cell.name} to {options.out}")


def progress(done: int, num: int) -> None:
    """Show a progress bar, if stderr is a terminal."""
    if sys.stderr is not None and sys.stderr.isatty():
        filled = WIDTH * done // num
        end = "\n" if done == num else ""
        sys.stderr.write(f"\r[{'#' * filled}{'.' * (WIDTH - filled)}] {done}/{num}{end}")
        sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        command_name("sample"),
        description="Write generated images of a finished cell as 8-bit PNG files, for example for pytorch-fid.",
        epilog="Example: %(prog)s outputs/mine lr=1e-3 seed=0 --num 50000 --out images",
    )
    add_options(parser)
    parser.add_argument("--num", type=int, required=True, help="number of images")
    parser.add_argument("--out", type=path, required=True, metavar="DIR", help="a new or an empty folder")
    parser.add_argument(
        "--seed", type=int, help="seed of the latents (default: the latents of the evaluations of the cell)"
    )
    parser.add_argument("--batch-size", type=int, default=500, help="images per forward pass (default: %(default)s)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:N or auto (default: %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
