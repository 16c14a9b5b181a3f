"""Ranking table: all candidates from best to worst, with interval, P(first) and verdict."""

from __future__ import annotations

import math

from gansweep.formatting import number
from gansweep.report.grid import Entry, Grid
from gansweep.report.pivot import caption, label
from gansweep.report.verdict import Verdict


def ranks(verdict: Verdict, most: int | None = None) -> Grid:
    """Return the ranking table with at most `most` rows."""
    contest = verdict.contest
    head = ["rank", *contest.keys, f"mean {contest.metric_name}", "95 % interval", "values", "N/A"]
    head += ["P(first)", "verdict"]
    rows = []
    for rank, place in enumerate(verdict.order[:most], 1):
        one, chance = contest.candidates[place], verdict.p_first.get(place)
        found = one.estimate
        known = math.isfinite(found.low)
        rows.append(
            [
                Entry("-", math.inf) if place in verdict.no_better else Entry(str(rank), rank),
                *(label(one.settings[key]) for key in contest.keys),
                Entry(number(found.mean) if found.n else "N/A", found.mean if found.n else math.inf * contest.sign),
                Entry(
                    f"{number(found.low, like=found.mean)} to {number(found.high, like=found.mean)}" if known else "-",
                    found.high - found.low if known else math.inf,
                ),
                Entry(str(found.n), found.n),
                Entry(str(found.num_na), found.num_na),
                Entry("-" if chance is None else f"{chance:.0%}", -1 if chance is None else chance),
                Entry(
                    verdict.against_first(place), strong=one is verdict.first and len(verdict.order) > 1 and found.n > 1
                ),
            ]
        )
    return Grid(head, rows, caption(contest, spread=False), num_labels=1 + len(contest.keys))
