"""Write generated images: python -m gansweep.sample outputs/mine lr=1e-3 --num 50000 --out images."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gansweep.console import command_name, exit_code, path, say
from gansweep.trained.options import add_options, check_new_file, loaded

if TYPE_CHECKING:
    from torch import Tensor

    from gansweep.trained.pair import TrainedPair

FORMATS = ("png", "npy", "npz")
WIDTH = 40  # characters of the progress bar


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the images and return the exit code."""
    options = _parser().parse_intermixed_args(arguments)
    return exit_code(lambda: _sample(options))


def _sample(options: argparse.Namespace) -> None:
    from gansweep.trained import sample_files  # not above: --help does not import torch

    for name in ("num", "batch_size"):
        if getattr(options, name) < 1:
            raise ValueError(f"--{name.replace('_', '-')} {getattr(options, name)}: expected 1 or more")
    if options.seed is not None and not 0 <= options.seed < 2**63:
        raise ValueError(f"--seed {options.seed}: expected a whole number from 0 to 2^63 - 1")
    form = options.format or (options.out.suffix[1:] if options.out.suffix in sample_files.SUFFIXES else "png")
    if form == "png":
        sample_files.check_folder(options.out)
    elif options.out.suffix != f".{form}":
        raise ValueError(f"--out {options.out}: expected a file that ends in .{form}, because of --format {form}")
    else:
        check_new_file(options.out, sample_files.SUFFIXES)
    pair = loaded(options)
    labels = _labels(pair, options.labels, options.num)
    if options.device != "cpu":
        from gansweep import device

        pair.sampler.to(device.resolve(options.device))
    sampling = sample_files.Sampling(pair, options.num, options.seed, options.batch_size, progress, labels)
    new = options.num
    if form == "png":
        new = sample_files.write_images(sampling, options.out)
    else:
        sample_files.write_array(sampling, options.out)
    kept = f"; {options.num - new} were there already" if new < options.num else ""
    say(
        f"wrote {new} {'images' if len(pair.sample_shape) == 3 else 'samples'} of {pair.result.cell.name} "
        f"to {options.out}{kept}"
    )


def _labels(pair: TrainedPair, classes: Sequence[int] | None, num: int) -> Tensor | None:
    """Return the classes of all samples (num,), sorted, with equal numbers of each; None if none are given.

    Raises:
        ValueError: the networks are not conditional, or there is no such class.
    """
    if classes is None:
        return None
    import torch  # not above, so that --help does not import torch

    from gansweep.labels import balanced, count_classes

    typed = f"--labels {','.join(map(str, classes))}"
    if pair.labels is None:
        raise ValueError(f"{typed}: the networks of {pair.result.cell.name} are not conditional; expected no --labels")
    count = count_classes(pair.labels)
    if not all(0 <= label < count for label in classes) or len(set(classes)) < len(classes):
        raise ValueError(f"{typed}: expected different classes from 0 to {count - 1}")
    if num < len(classes):
        raise ValueError(f"--num {num}: expected at least {len(classes)}, one for each of {typed}")
    return torch.tensor(classes)[balanced(len(classes), num)]


def class_list(text: str) -> list[int]:
    """Return the whole numbers in a text such as `0,1,2`.

    Raises:
        ArgumentTypeError: it contains something else.
    """
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: expected whole numbers, for example 0,1,2") from error


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
        description="Write generated images of a finished cell as 8-bit PNG files, for example for pytorch-fid, or as "
        "one array. The same line completes a folder of PNG files after an interruption.",
        epilog="Example: %(prog)s outputs/mine lr=1e-3 seed=0 --num 50000 --out images",
    )
    add_options(parser)
    parser.add_argument("--num", type=int, required=True, help="number of images")
    parser.add_argument("--out", type=path, required=True, metavar="PATH", help="a folder, or a new file .npy or .npz")
    parser.add_argument(
        "--format", choices=FORMATS, help="png: a folder; npy, npz: one array (default: by the ending of --out, or png)"
    )
    parser.add_argument(
        *("--labels", "--label"),
        type=class_list,
        metavar="0,1,2",
        help="classes of a conditional generator, in equal numbers (default: all, with the frequencies of the data)",
    )
    parser.add_argument(
        "--seed", type=int, help="seed of the latents (default: the latents of the evaluations of the cell)"
    )
    parser.add_argument("--batch-size", type=int, default=500, help="images per forward pass (default: %(default)s)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:N or auto (default: %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
