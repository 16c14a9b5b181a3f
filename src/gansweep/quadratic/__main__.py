"""Forsyth's quadratic: python -m gansweep.quadratic."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gansweep.console import exit_code, say


def main(arguments: list[str] | None = None) -> int:
    """Print closed forms beside the optimizers' numbers, draw the paths, and return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not 0 < options.eps <= 1 or options.steps < 1:
        parser.error(f"--eps {options.eps:g} --steps {options.steps}: expected 0 < eps <= 1 and 1 step or more")
    return exit_code(lambda: _compare(options))


def _compare(options: argparse.Namespace) -> None:
    # Here, so that --help does not wait.
    from gansweep.quadratic import comparison, picture

    table = comparison.markdown(list(comparison.rows()))
    say(table)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "quadratic.md").write_text(table + "\n", encoding="utf-8")
    picture.write(options.eps, options.steps, options.out / "quadratic.png")
    for name in ("quadratic.md", "quadratic.png"):
        say(f"wrote {options.out / name}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m gansweep.quadratic",
        description="Gradient descent, momentum and Adam on an ill-conditioned bowl, against the closed forms.",
    )
    parser.add_argument("--eps", type=float, default=0.01, help="curvature along x, that along y is 1 (default: 0.01)")
    parser.add_argument("--steps", type=int, default=100, help="of the paths that are drawn (default: 100)")
    parser.add_argument(
        "--out", type=Path, default=Path("outputs/forsyth_quadratic"), help="directory (default: %(default)s)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
