"""Number of jobs of a command line, computed without listing or composing them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hydra.core.override_parser.types import Override, RangeSweep

from gansweep.config.errors import BadConfig, Problem

KEY = "most_cells"


def refuse_too_many(lines: Sequence[Sequence[Override]], default: Any) -> None:
    """Refuse a command line with more jobs than `most_cells`.

    Args:
        lines: overrides; one line per experiment if several experiments define sweeps.
        default: value of `most_cells` if it is not given on the command line.

    Raises:
        BadConfig: there are more jobs.
    """
    typed = [override.value() for line in lines for override in line if override.key_or_group == KEY]
    most = typed[-1] if typed else default
    if type(most) is not int or most < 1:  # reported later, with all other problems of the configuration
        return
    count = sum(num_jobs(line) for line in lines)
    if count > most:
        message = f"={most}: this command line has {count} cells. To train all of them, add {KEY}={count}"
        raise BadConfig([Problem(KEY, message)])


def num_jobs(overrides: Sequence[Override]) -> int:
    """Return the number of combinations.

    >>> from hydra.core.override_parser.overrides_parser import OverridesParser
    >>> num_jobs(OverridesParser.create().parse_overrides(["lr=1,2", "seed=range(0,1000000000)"]))
    2000000000
    """
    counts = {
        override.get_key_element(): _num_values(override) for override in overrides
    }  # the last override of a key is used
    return math.prod(counts.values())


def _num_values(override: Override) -> int:
    value = override.value()
    if not override.is_discrete_sweep():
        return 1
    if isinstance(value, RangeSweep):
        start, stop, step = (value.start or 0, value.stop or 0, value.step)
        return max(0, math.ceil((stop - start) / step)) if step else 1
    return sum(1 for _ in override.sweep_iterator())
