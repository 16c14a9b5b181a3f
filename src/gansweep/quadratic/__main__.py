"""Forsyth's quadratic: python -m gansweep.quadratic."""

from __future__ import annotations

import argparse
from pathlib import Path

from gansweep.console import say


def main(arguments: list[str] | None = None) -> None:
    """Print closed forms beside the optimizers' numbers, and draw the paths."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not 0 < options.eps <= 1 or options.steps < 1:
        parser.error(f"--eps {options.eps:g} --steps {options.steps}: expected 0 < eps <= 1 and 1 step or more")
    # Here, so that --help does not wait.
    from gansweep.quadratic import comparison, picture

    table = comparison.markdown(list(comparison.rows()))
    say(table)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "quadratic.md").write_text(table + "\n", encoding="utf-8")
        picture.write(options.eps, options.steps, options.out / "quadratic.png")
    except (OSError, ValueError) as error:
        parser.exit(1, f"{error}\n")
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
    main()
