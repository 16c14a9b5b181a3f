"""Comparison of two configurations: `python -m gansweep.report outputs/mine --compare A B`."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gansweep.formatting import counted, number
from gansweep.report import markdown
from gansweep.report.verdict import LEVEL, Verdict, more_seeds
from gansweep.results.configuration import Configuration
from gansweep.section import Paragraph, Table
from gansweep.statistics.paired import Comparison, compare_all
from gansweep.sweep.identity import plain


def compare(verdicts: Sequence[Verdict], first: str, second: str) -> str:
    """Return the values of two configurations on their common seeds and the paired test, in Markdown.

    Two comparisons in one report are not chosen by their values, so the p-value is not corrected for the other pairs.

    Args:
        verdicts: verdicts on all tables.
        first: settings of a configuration, such as `optimizer=adam, lr=1e-3`; it may be a part of its name.
        second: likewise.

    Raises:
        ValueError: the text matches no configuration or several, or the two are the same or in different tables.
    """
    (table_a, a), (table_b, b) = _find(verdicts, first), _find(verdicts, second)
    if a is b:
        raise ValueError(f"--compare {first} {second}: both are {a.name}, expected two configurations")
    if table_a is not table_b:
        raise ValueError(f"--compare {first} {second}: measured differently, expected two configurations of one table")
    board = table_a.leaderboard
    names, seeds = (a.name, b.name), [seed for seed in a.scores if seed in b.scores]
    scores = [{seed: board.sign * one.scores[seed] for seed in seeds} for one in (a, b)]
    (test,) = compare_all(scores, [(0, 1)], 1, LEVEL, table_a.absolute_margin, board.seed_levels)
    rows = [
        [seed, *(_value(one.scores[seed]) for one in (a, b)), _value(a.scores[seed] - b.scores[seed])] for seed in seeds
    ]
    over = " and ".join(board.repeated)
    caption = f"{board.how.capitalize()} {board.metric_label} of common runs", board.references
    table = Table([over, *names, "difference"], rows, "; ".join(filter(None, caption)) + ".")
    no_better = [one.name for one in (a, b) if one.is_no_better_than_untrained]
    notes = [Paragraph(f"No better than the untrained generator: {'; '.join(no_better)}.")] if no_better else []
    return markdown.write([Paragraph(_sentence(table_a, names, test)), *notes, table])


def _sentence(verdict: Verdict, names: tuple[str, str], test: Comparison) -> str:
    better, worse = names if test.sign < 0 else names[::-1]
    size = f"mean difference {number(abs(test.difference))}, " if math.isfinite(test.difference) else ""
    evidence = f"{counted(test.num_seeds, 'common seed')}, {size}p = {number(test.p)}"
    kind = {"t": "paired t test", "sign": "sign test, N/A loses"}.get(test.test, "no test")
    if test.margin is not None:
        kind += f"; p = {number(test.equivalence)} that they differ by {number(test.margin)} or more"
    if test.equivalent(LEVEL):
        outcome = f"{names[0]} and {names[1]} are equivalent within {verdict.margin}"
    elif test.beaten(LEVEL):
        outcome = f"{better} is better than {worse}"
    else:
        more = test.more_seeds()
        needs = "no measurable difference" if more is None else f"needs about {more_seeds(more, test)}"
        outcome = f"Undecided: {needs}"
    return f"{outcome} ({evidence}; {kind}, level {LEVEL:.0%})."


def _find(verdicts: Sequence[Verdict], text: str) -> tuple[Verdict, Configuration]:
    """Return the configuration that has all settings of a text."""
    wanted = [part.strip() for part in text.split(",") if part.strip()]
    found = []
    for verdict in verdicts:
        for one in verdict.leaderboard.configurations:
            settings = {**verdict.leaderboard.fixed, **one.settings}
            if all(_has(settings, part) for part in wanted):
                found.append((verdict, one))
    if len(found) == 1:
        return found[0]
    names = "; ".join(
        ", ".join(filter(None, (verdict.leaderboard.label, one.name)))
        for verdict in verdicts
        for one in verdict.leaderboard.configurations[:8]
    )
    problem = "no configuration has these settings" if not found else f"{len(found)} configurations have these settings"
    raise ValueError(f"--compare {text}: {problem}; configurations: {names}")


def _has(settings: dict[str, object], part: str) -> bool:
    key, _, text = part.partition("=")
    if key not in settings:
        return False
    setting = settings[key]
    try:
        return setting == float(text) if isinstance(setting, (int, float)) else plain(setting) == text
    except ValueError:
        return False


def _value(value: float) -> str:
    return number(value) if math.isfinite(value) else "N/A"
