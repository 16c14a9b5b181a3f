"""Pivot of the configurations of a leaderboard: settings as rows and columns, a value in each field."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gansweep.results.configuration import Configuration
from gansweep.results.leaderboard import Leaderboard
from gansweep.section import Entry, Table
from gansweep.sweep.identity import plain
from gansweep.sweep.sweep_keys import is_number

WIDEST = 8  # columns of values


def pivot(
    leaderboard: Leaderboard,
    values: Mapping[str, Callable[[Configuration | None], Entry]],
    only: tuple[str, str],
    rows: Sequence[str] = (),
    across: str | None = None,
) -> Table:
    """Return the settings of all configurations as rows and columns, with a value in each field.

    Varied settings that are in neither `rows` nor `across` become rows too.

    Args:
        leaderboard: the configurations.
        values: what is shown of a configuration, or of None where it does not exist, by heading. Without a setting
            as columns each is a column; otherwise only the first is shown.
        only: heading and label of the row if no setting varies.
        rows: keys of the rows, in this order.
        across: key of the columns; None takes the last key with at most eight values, if there are two keys or more.
    """
    left = [key for key in leaderboard.keys if key not in rows and key != across]
    if across is None and len(rows) < len(leaderboard.keys) and len(leaderboard.keys) > 1:
        across = next((key for key in reversed(left) if len(leaderboard.values(key)) <= WIDEST), None)
    down = [*rows, *(key for key in left if key != across)]
    if across is None:
        fields = [({}, show) for show in values.values()]
        head = [*(down or only[:1]), *values]
    else:
        show = next(iter(values.values()))
        fields = [({across: value}, show) for value in leaderboard.values(across)]
        head = [*down, *(f"{across}={plain(value)}" for value in leaderboard.values(across))]
    num_labels = len(head) - len(fields)
    body = []
    combinations = {json.dumps([one.settings[key] for key in down]): one.settings for one in leaderboard.sorted(down)}
    for settings in combinations.values():
        labels = [label(settings[key]) for key in down] or [Entry(only[1])][:num_labels]
        body.append([*labels, *(show(leaderboard.find({**settings, **column})) for column, show in fields)])
    return Table(head, body, num_labels=num_labels)


def label(value: Any) -> Entry:
    """Return the entry of a setting; numbers sort numerically."""
    return Entry(plain(value), float(value) if is_number(value) else None)
