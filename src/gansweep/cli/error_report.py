"""Error block of a command: all problems of a configuration."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from gansweep.config.errors import Problem
from gansweep.console import WRONG
from gansweep.formatting import visible

MOST_PROBLEMS = 20


def complain(problems: Sequence[Problem], omitted: str) -> int:
    """Print all problems to stderr and return exit code 2.

    Args:
        problems: what is wrong; the first `MOST_PROBLEMS` are printed.
        omitted: what was therefore not done, such as "trained".
    """
    lines = ["  " + visible(str(problem)).replace("\n", "\n    ") for problem in problems[:MOST_PROBLEMS]]
    if len(problems) > MOST_PROBLEMS:
        lines.append(f"  and {len(problems) - MOST_PROBLEMS} more")
    print(f"The configuration is not valid; nothing was {omitted}.", *lines, sep="\n", file=sys.stderr)
    return WRONG
