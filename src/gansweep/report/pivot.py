"""Pivot table of a contest: settings as rows and columns, mean over seeds in the fields."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from gansweep.formatting import number
from gansweep.report.grid import Entry, Grid
from gansweep.report.leaderboard import Candidate, Contest
from gansweep.report.verdict import Verdict
from gansweep.sweep.cell import State
from gansweep.sweep.identity import plain
from gansweep.sweep.sweep_keys import is_number
from gansweep.sweep.table import WIDEST

MOST_TROUBLES = 2  # above this number, problems are summarized


def pivot(verdict: Verdict, rows: Sequence[str] = (), across: str | None = None) -> Grid:
    """Return a table of all candidates.

    Varied settings that are in neither `rows` nor `across` become rows too. Values are averaged only over the
    repeated keys.

    Args:
        verdict: the verdict on the candidates.
        rows: keys of the rows, in this order.
        across: key of the columns; None takes the last key with at most eight values.

    Raises:
        ValueError: a key was not varied or is given twice.
    """
    contest = verdict.contest
    for option, key in [*(("--rows", key) for key in rows), *([("--cols", across)] if across is not None else [])]:
        if key in contest.repeated:
            raise ValueError(f"{option} {key}: runs are averaged over this setting, see --group")
        if key not in contest.keys:
            expected = ", ".join(contest.keys) or "none: only one configuration was trained"
            raise ValueError(f"{option} {key}: not a varied setting, expected one of {expected}")
    twice = next((key for number, key in enumerate(rows) if key in rows[:number]), None)
    if twice is not None:
        raise ValueError(f"--rows {twice}: given twice, expected each setting once")
    if across in rows:
        raise ValueError(f"--cols {across}: already in --rows, expected another setting")
    left = [key for key in contest.keys if key not in rows and key != across]
    if across is None and len(rows) < len(contest.keys) and len(contest.keys) > 1:
        across = next((key for key in reversed(left) if len(contest.values(key)) <= WIDEST), None)
    down = [*rows, *(key for key in left if key != across)]
    notes: dict[str, int] = {}
    head = [*(down or ([] if across else ["setting"])), *_columns(contest, across)]
    body = []
    for settings in _combinations(contest, down):
        columns = [{}] if across is None else [{across: value} for value in contest.values(across)]
        found = [contest.find({**settings, **column}) for column in columns]
        labels = [label(settings[key]) for key in down] or ([] if across else [Entry("the only configuration")])
        body.append([*labels, *(_entry(verdict, one, notes) for one in found)])
    return Grid(head, body, caption(contest), [*notes], len(down) or (0 if across else 1))


def caption(contest: Contest, spread: bool = True) -> str:
    """Return the caption: metric, direction and aggregation; `spread` if the table shows standard deviations."""
    metric, direction = contest.metric_name, "lower" if contest.sign > 0 else "higher"
    what = "Final" if contest.how == "final" else "Best"
    over = " and ".join(contest.repeated)
    parts = [f"{what} {metric}, {direction} is better", *([contest.label] if contest.label else [])]
    if any(len(one.runs) > 1 for one in contest.candidates):
        parts.append(f"mean ± standard deviation (number of values) over {over}" if spread else f"means over {over}")
    if any(one.estimate.num_na for one in contest.candidates):
        parts.append("N/A: runs without a value, excluded from the mean and ranked last")
    if contest.optimistic:
        parts.append("the best was chosen on the latents that it is reported on and is therefore biased")
    elif contest.how != "final":
        parts.append("the best was chosen on other latents than it is reported on")
    return "; ".join(parts) + "."


def _columns(contest: Contest, across: str | None) -> list[str]:
    if across is None:
        return [f"{contest.how} {contest.metric_name}"]
    return [f"{across}={plain(value)}" for value in contest.values(across)]


def _combinations(contest: Contest, keys: Sequence[str]) -> list[dict[str, Any]]:
    """Return the existing combinations of the keys, ordered by the first key, then the second, ..."""
    there = {json.dumps([one.settings[key] for key in keys]) for one in contest.candidates}
    every = itertools.product(*(contest.values(key) for key in keys))
    return [dict(zip(keys, values, strict=True)) for values in every if json.dumps(list(values)) in there]


def troubles(one: Candidate, over: str) -> str:
    """Return the problems of a candidate's runs, summarized if there are more than `MOST_TROUBLES`."""
    found = {seed: " ".join(result.trouble.split()) for seed, result in one.runs.items() if result.trouble}
    if len(found) <= MOST_TROUBLES:
        return "; ".join(f"{over} {seed}: {text}" if len(one.runs) > 1 else text for seed, text in found.items())
    steps = [r.record["divergence"]["step"] for r in one.runs.values() if r.record and r.record.get("divergence")]
    kinds = Counter(text.partition(", ")[2] if text.startswith("diverged") else text for text in found.values())
    causes = "; ".join(f"{text} ({count})" for text, count in kinds.most_common())
    when = f"diverged at steps {min(steps)} to {max(steps)}: " if len(steps) > 1 else ""
    return f"{when}{causes}"


def untrained(one: Candidate) -> str:
    """Return a note if a candidate is no better than its untrained generators, else an empty text."""
    if not one.is_no_better_than_untrained:
        return ""
    texts = dict.fromkeys(number(value) for value in (min(one.untrained), max(one.untrained)))
    return f"no better than the untrained generator ({' to '.join(texts)})"


def label(value: Any) -> Entry:
    """Return the entry of a setting; numbers sort numerically."""
    return Entry(plain(value), float(value) if is_number(value) else None)


def _entry(verdict: Verdict, one: Candidate | None, notes: dict[str, int]) -> Entry:
    if one is None:
        return Entry("-")
    found, total = one.estimate, len(one.scores)
    remarks = [troubles(one, "/".join(verdict.contest.repeated)), untrained(one)]
    marks = "".join(f"[{notes.setdefault(text, len(notes) + 1)}]" for text in remarks if text)
    if found.n == 0:
        word = "N/A" if total else "failed" if one.num_failed else "done" if one.count(State.COMPLETED) else "-"
        return Entry(f"{word} {marks}".strip(), float("inf") * verdict.contest.sign)
    text = number(found.mean)
    if len(one.runs) > 1:
        spread = f" ± {number(found.sd, like=found.mean)}" if found.n > 1 else ""
        text += f"{spread} ({found.n}{f' of {len(one.runs)}' if found.n < len(one.runs) else ''})"
    # One seed is not enough to mark a configuration as best.
    strong = one is verdict.first and len(verdict.order) > 1 and found.n > 1 and found.num_na == 0
    return Entry(f"{text} {marks}".strip(), found.mean, strong)
