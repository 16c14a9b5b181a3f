"""Tables of a report: a pivot of all configurations, and their ranking."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from gansweep.formatting import number, rounded
from gansweep.report.verdict import FEWEST_FOR_P_FIRST, Verdict
from gansweep.results import leaderboard as pivots
from gansweep.results.configuration import FINAL, Configuration
from gansweep.results.leaderboard import Leaderboard, label
from gansweep.results.table import untrained_note
from gansweep.section import Entry, Table
from gansweep.sweep.cell import State

MAX_TROUBLES = 2  # above this number, problems are summarized


def pivot(verdict: Verdict, rows: Sequence[str] = (), across: str | None = None) -> Table:
    """Return a table of all configurations: settings as rows and columns, mean over seeds in the fields.

    Varied settings that are in neither `rows` nor `across` become rows too. Values are averaged only over the
    repeated keys.

    Raises:
        ValueError: a key was not varied or is given twice.
    """
    leaderboard = verdict.leaderboard
    _check(leaderboard, rows, across)
    notes: dict[str, int] = {}
    values = {f"{leaderboard.how} {leaderboard.metric_label}": lambda one: _entry(verdict, one, notes)}
    grid = pivots.pivot(leaderboard, values, ("setting", "the only configuration"), rows, across)
    return replace(grid, caption=caption(leaderboard), notes=[*notes])


def _check(leaderboard: Leaderboard, rows: Sequence[str], across: str | None) -> None:
    """Raise ValueError for keys of rows and columns that do not exist or are given twice."""
    for option, key in [*(("--rows", key) for key in rows), *([("--cols", across)] if across is not None else [])]:
        if key in leaderboard.repeated:
            raise ValueError(f"{option} {key}: runs are averaged over this setting, see --group")
        if key not in leaderboard.keys:
            varied = ", ".join(leaderboard.keys)
            expected = f"expected one of {varied}" if varied else "only one configuration was trained"
            raise ValueError(f"{option} {key}: not a varied setting, {expected}")
    twice = next((key for number, key in enumerate(rows) if key in rows[:number]), None)
    if twice is not None:
        raise ValueError(f"--rows {twice}: given twice, expected each setting once")
    if across in rows:
        raise ValueError(f"--cols {across}: already in --rows, expected another setting")


def caption(leaderboard: Leaderboard, spread: bool = True) -> str:
    """Return the caption: metric, direction and aggregation; `spread` if the table shows standard deviations."""
    metric, direction = leaderboard.metric_label, "lower" if leaderboard.sign > 0 else "higher"
    over = " and ".join(leaderboard.repeated)
    parts = [f"{leaderboard.how.capitalize()} {metric}, {direction} is better", *filter(None, [leaderboard.label])]
    if any(len(one.runs) > 1 for one in leaderboard.configurations):
        parts.append(f"mean ± standard deviation (number of values) over {over}" if spread else f"means over {over}")
    if any(one.estimate.num_na for one in leaderboard.configurations):
        parts.append("N/A: runs without a value, excluded from the mean and ranked last")
    if spread and leaderboard.references:
        parts.append(leaderboard.references)
    if leaderboard.optimistic:
        parts.append("the best was chosen on the latents that it is reported on and is therefore biased")
    elif leaderboard.how != FINAL:
        parts.append("the best was chosen on other latents than it is reported on")
    return "; ".join([*parts, *filter(None, [leaderboard.omitted])]) + "."


def _entry(verdict: Verdict, one: Configuration | None, notes: dict[str, int]) -> Entry:
    if one is None:
        return Entry("-")
    remarks = [_troubles(one, "/".join(verdict.leaderboard.repeated))]
    remarks += [untrained_note(one)] if one.is_no_better_than_untrained else []
    marks = "".join(f"[{notes.setdefault(text, len(notes) + 1)}]" for text in remarks if text)
    if not one.values:
        kinds = (State.DROPPED, "dropped"), (State.FAILED, "failed"), (State.COMPLETED, "done")
        word = "N/A" if one.scores else next((word for state, word in kinds if one.count(state)), "-")
        return Entry(f"{word} {marks}".strip(), math.inf * verdict.leaderboard.sign, cell=one.mark)
    text = one.spread if len(one.runs) > 1 else number(one.values[0])
    # One seed is not enough to mark a configuration as best.
    strong = one is verdict.first and len(verdict.order) > 1 and len(one.values) == len(one.scores) > 1
    return Entry(f"{text} {marks}".strip(), one.estimate.mean, strong, cell=one.mark)


def _troubles(one: Configuration, over: str) -> str:
    """Return the problems of a configuration's runs, summarized if there are more than `MAX_TROUBLES`."""
    texts = {seed: " ".join(result.trouble.split()) for seed, result in one.runs.items() if result.trouble}
    if len(texts) <= MAX_TROUBLES:
        return "; ".join(f"{over} {seed}: {text}" if len(one.runs) > 1 else text for seed, text in texts.items())
    steps = [run.diverged_at for run in one.runs.values() if run.diverged_at is not None]
    kinds = Counter(text.partition(", ")[2] if text.startswith("diverged") else text for text in texts.values())
    causes = "; ".join(f"{text} ({count})" for text, count in kinds.most_common())
    when = f"diverged at {_range('step', steps)}: " if len(steps) > 1 else ""
    return f"{when}{causes}"


def _range(what: str, numbers: Sequence[int]) -> str:
    """Return `step 100`, or `steps 3 to 4`."""
    low, high = min(numbers), max(numbers)
    return f"{what} {low}" if low == high else f"{what}s {low} to {high}"


REFERENCES = ("untrained", "real")  # heads of the columns of `references`


def references(leaderboard: Leaderboard, untrained: Sequence[float] | None = None) -> list[Entry]:
    """Return the ends of the metric's scale: mean of the untrained generators, and real against real samples.

    Args:
        leaderboard: the leaderboard.
        untrained: values of untrained generators; None for those of all runs.
    """
    mean = leaderboard.untrained if untrained is None else statistics.fmean(untrained) if untrained else None
    ends = mean, leaderboard.metric.get("floor")
    return [Entry("-", math.inf) if value is None else Entry(number(value), value) for value in ends]


def ranks(verdict: Verdict, most: int | None = None) -> Table:
    """Return the ranking: at most `most` configurations from best to worst, with interval, P(first) and verdict."""
    leaderboard = verdict.leaderboard
    head = [
        "rank",
        *leaderboard.keys,
        f"mean {leaderboard.metric_label}",
        "95 % interval",
        *REFERENCES,
        "values",
        "N/A",
    ]
    rows = []
    for rank, place in enumerate(verdict.order[:most], 1):
        one, p_first = leaderboard.configurations[place], verdict.p_first.get(place)
        estimate = one.estimate
        interval = Entry("-", math.inf)
        if math.isfinite(estimate.low):
            low, high = rounded([estimate.low, estimate.high], estimate.mean, estimate.sd)
            interval = Entry(f"{low} to {high}", estimate.high - estimate.low)
        strong = one is verdict.first and verdict.beats(place) > 0
        rows.append(
            [
                Entry("-", math.inf) if place in verdict.no_better else Entry(str(rank), rank),
                *(label(one.settings[key]) for key in leaderboard.keys),
                Entry(rounded([estimate.mean], estimate.mean, estimate.sd)[0], estimate.mean, cell=one.mark)
                if estimate.n
                else Entry("N/A", math.inf * leaderboard.sign, cell=one.mark),
                interval,
                *references(leaderboard, one.untrained),
                Entry(str(estimate.n), estimate.n),
                Entry(str(estimate.num_na), estimate.num_na),
                Entry("-", -1) if p_first is None else Entry(f"{p_first:.0%}", p_first),
                Entry(verdict.against_first(place), strong=strong),
            ]
        )
    text = caption(leaderboard, spread=False)
    text += " Untrained: the same runs before the first step; real: real against real samples."
    if verdict.lacks_seeds_for_p_first:
        text += f" P(first) is not estimated from fewer than {FEWEST_FOR_P_FIRST} common seeds."
    return Table([*head, "P(first)", "verdict"], rows, text, num_labels=1 + len(leaderboard.keys))
