"""Tables and figures of the Dirac-GAN: `python -m gansweep.dirac`."""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from gansweep.console import command_name, exit_code, make_folder, path, say
from gansweep.dirac import convergence
from gansweep.dirac.atlas import ATLAS
from gansweep.dirac.descent import trajectory
from gansweep.dirac.notebook import ALGORITHMS, METHODS, NUM_STEPS, RATE, START
from gansweep.dirac.pictures import eigenvalue_paths, phase_diagram, portraits
from gansweep.dirac.spectrum import autograd_jacobian, eigenvalues

# Limits on memory: a trajectory stores all its points, and an atlas has width * width trajectories.
MAX_STEPS, MAX_POINTS = 1_000_000, 4_000
CAPTION = (
    "r is the distance from the equilibrium, in brackets its smallest and largest value of the last 100 steps. "
    "The notebook is that of the authors of the paper; numbers in the titles are its hyperparameters."
)


def write_convergence(options: argparse.Namespace) -> None:
    """Print table 1 of the paper and the measured values."""
    rows = convergence.measured_rows()
    table = convergence.markdown(rows)
    say(table)
    _write(options.out / "convergence.md", f"{table}\n\n{convergence.details(rows)}\n")


def write_portraits(options: argparse.Namespace) -> None:
    """Print the final distance of every method under every algorithm, and draw the paths."""
    lines = [f"| r after {options.steps} steps | {' | '.join(ALGORITHMS)} |", "|---" * (1 + len(ALGORITHMS)) + "|"]
    for title, field in METHODS.items():
        cells = []
        for algorithm in ALGORITHMS.values():
            r = np.hypot(*trajectory(field, algorithm, START, options.rate, options.steps).T)
            last = r[-100:]
            cells.append(f"{r[-1]:.4g} [{last.min():.4g}, {last.max():.4g}]")
        lines.append(f"| {title} | {' | '.join(cells)} |")
    lines += ["", CAPTION]
    say("\n".join(lines))
    _write(options.out / "portraits.md", "\n".join(lines) + "\n")
    for name, algorithm in ALGORITHMS.items():
        stem = options.out / f"portraits_{name.replace(' ', '_').replace(':', '')}"
        gif = stem.with_suffix(".gif") if options.gif else None
        portraits(name, algorithm, options.rate, options.steps, stem.with_suffix(".png"), gif)
        _report_files(stem.with_suffix(".png"), gif)


def write_eigenvalues(options: argparse.Namespace) -> None:
    """Print the eigenvalues by formula and by autograd, and draw their paths."""
    lines = ["| method | by formula | by autograd |", "|---|---|---|"]
    for field in (pair[0] for pair in convergence.ROWS):
        jacobian = field.jacobian()
        if jacobian is None:
            lines.append(f"| `{field}` | v is discontinuous at the equilibrium | |")
        else:
            by_formula, by_autograd = (
                ", ".join(f"{z:.6f}" for z in eigenvalues(j)) for j in (jacobian, autograd_jacobian(field))
            )
            lines.append(f"| `{field}` | {by_formula} | {by_autograd} |")
    say("\n".join(lines))
    _write(options.out / "eigenvalues.md", "\n".join(lines) + "\n")
    gif = options.out / "eigenvalues.gif" if options.gif else None
    eigenvalue_paths(options.out / "eigenvalues.png", gif)
    _report_files(options.out / "eigenvalues.png", gif)


def write_atlas(options: argparse.Namespace) -> None:
    """Simulate every point of the chosen sheets and draw them."""
    for name in options.sheets or ATLAS:
        title, sheets = ATLAS[name][0], list(ATLAS[name][1]())
        start = time.perf_counter()
        measured = [sheet.measure(*sheet.points(options.width, options.width), options.steps) for sheet in sheets]
        wall_s = time.perf_counter() - start
        say(f"{name}: {sum(part.size for part in measured):,} games of {options.steps} steps in {wall_s:.1f} s")
        picture = options.out / f"atlas_{name}.png"
        phase_diagram(f"{title}, {options.steps} steps", sheets, measured, picture)
        _report_files(picture)


def _write(file: Path, text: str) -> None:
    file.write_text(text)
    _report_files(file)


def _report_files(*files: Path | None) -> None:
    for file in files:
        if file is not None:
            say(f"wrote {file}")


def _count(least: int, most: int) -> Callable[[str], int]:
    """Return an argparse type: integer from `least` to `most`."""

    def parse(text: str) -> int:
        with suppress(ValueError):
            if least <= int(text) <= most:
                return int(text)
        raise argparse.ArgumentTypeError(f"{text}: expected a whole number from {least} to {most}")

    return parse


def _rate(text: str) -> float:
    """Return a learning rate parsed by argparse."""
    with suppress(ValueError):
        if 0 <= float(text) < math.inf:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text}: expected a finite number >= 0")


def arguments_parser() -> argparse.ArgumentParser:
    """Return the command-line parser."""
    parser = argparse.ArgumentParser(
        command_name("dirac"), description="Tables and figures of the Dirac-GAN, see docs/dirac.md."
    )
    commands = parser.add_subparsers(required=True, metavar="convergence | portraits | eigenvalues | atlas")

    def command(name: str, run: Callable[[argparse.Namespace], None], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.add_argument("--out", type=path, default=Path("outputs/dirac"), help="directory (default: %(default)s)")
        added.set_defaults(run=run)
        return added

    command(
        "convergence", write_convergence, "convergence of every method: the paper's table 1 and the measured values"
    )
    portraits_parser = command(
        "portraits", write_portraits, "gradient vector fields and trajectories of every method and algorithm"
    )
    portraits_parser.add_argument(
        "--rate", type=_rate, default=RATE, help="learning rate of both players (default: %(default)s)"
    )
    portraits_parser.add_argument(
        "--steps", type=_count(1, MAX_STEPS), default=NUM_STEPS, help="number of steps (default: %(default)s)"
    )
    eigenvalues_parser = command(
        "eigenvalues", write_eigenvalues, "eigenvalues by formula and by autograd, and their paths"
    )
    for animated in (portraits_parser, eigenvalues_parser):
        animated.add_argument("--gif", action="store_true", help="also write an animation")
    atlas = command("atlas", write_atlas, "phase diagrams over learning rate, penalty weight and momentum")
    atlas.add_argument("--sheets", nargs="+", choices=list(ATLAS), help="figures to draw (default: all)")
    atlas.add_argument(
        "--width", type=_count(2, MAX_POINTS), default=240, help="points per axis (default: %(default)s)"
    )
    atlas.add_argument("--steps", type=_count(1, MAX_STEPS), default=300, help="number of steps (default: %(default)s)")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit code."""
    options = arguments_parser().parse_args(arguments)

    def work() -> None:
        make_folder("--out", options.out)
        options.run(options)

    return exit_code(work)


if __name__ == "__main__":
    sys.exit(main())
