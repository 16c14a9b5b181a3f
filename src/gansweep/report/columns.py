"""Report tables as CSV and JSON: one row per configuration."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Sequence
from typing import Any

from gansweep.formatting import csv_text
from gansweep.report.study import Study
from gansweep.report.verdict import Verdict
from gansweep.sweep.identity import plain

FORMAT = 1
COLUMNS = {
    "contest": "number of the table; values of different tables were measured differently and are not comparable",
    "metric": "name of the metric",
    "lower_is_better": "true if a lower value is better",
    "select": "evaluation that represents a run: final or best",
    "rank": "rank from 1, by the share of runs that are N/A, then by the mean. Empty if no run has finished or the "
    "configuration is no better than untrained",
    "mean": "mean over the runs that have a value",
    "sd": "sample standard deviation of the same values (n - 1)",
    "low": "lower end of the 95 % confidence interval of the mean",
    "high": "upper end of the interval",
    "interval": "method of the interval: t (Student) below 10 values, bca (bootstrap) from 10 on, crossed if runs "
    "share one of several kinds of seeds",
    "n": "number of runs that have a value",
    "num_na": "number of runs without a value because they diverged; excluded from the mean, ranked last",
    "num_failed": "number of runs that raised an error; counted neither as values nor as N/A",
    "num_missing": "number of runs that have not finished",
    "untrained": "mean over the runs of the value before the first step",
    "no_better_than_untrained": "true if the mean value is at most 1 % better than the mean of the same runs "
    "before the first step",
    "p_first": "probability of ranking first, by bootstrap over the common seeds; empty with fewer than 5",
    "beats": "number of configurations it is significantly better than; with more than 40 only pairs with the first "
    "are tested",
    "p_against_first": "p-value of the paired comparison with the first, Holm-corrected for all pairs",
    "p_equivalent": "p-value of the test that the mean differs from that of the first by less than the margin, "
    "corrected together with the others; empty without --margin",
    "more_seeds": "estimated additional seeds for a test with power 80 %; empty if decided or more than 1000",
    "verdict": "comparison with the first, in words",
    "optimistic": "true if the best of several evaluations was chosen on the latents it is reported on",
}


def rows(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Return one row per configuration. Every setting is a column; a missing value is None."""
    leaderboards = [verdict.leaderboard for verdict in verdicts]
    varied = dict.fromkeys(key for leaderboard in leaderboards for key in (*leaderboard.fixed, *leaderboard.keys))
    keys = [key for key in varied if all(key not in leaderboard.repeated for leaderboard in leaderboards)]
    return [
        _row(number, verdict, place, keys) for number, verdict in enumerate(verdicts, 1) for place in verdict.places
    ]


def as_csv(verdicts: Sequence[Verdict]) -> str:
    """Return the rows as CSV: settings first, then `COLUMNS`. A missing value is an empty field."""
    table = rows(verdicts)
    return csv_text(list(table[0]), ({key: _field(value) for key, value in row.items()} for row in table))


def as_json(study: Study, verdicts: Sequence[Verdict]) -> str:
    """Return the rows as JSON, with the value of every run and a description of the columns."""
    ordered = [verdict.leaderboard.configurations[place] for verdict in verdicts for place in verdict.places]
    configurations = [
        row | {"runs": {seed: _json(value) for seed, value in configuration.scores.items()}}
        for row, configuration in zip(rows(verdicts), ordered, strict=True)
    ]
    content = {
        "format": FORMAT,
        "sweep": study.name,
        "commands": list(study.commands),
        "columns": COLUMNS | {"runs": "value of every run by seed, null for N/A"},
        "fingerprints": [verdict.leaderboard.metric.get("fingerprint") for verdict in verdicts],
        "candidates": [{key: _json(value) for key, value in row.items()} for row in configurations],
    }
    return json.dumps(content, indent=1, allow_nan=False, default=str) + "\n"


def _row(number: int, verdict: Verdict, place: int, keys: Sequence[str]) -> dict[str, Any]:
    leaderboard, configuration = verdict.leaderboard, verdict.leaderboard.configurations[place]
    estimate, ranked = configuration.estimate, place in verdict.order
    first = verdict.order[0] if verdict.first is not None else None
    against = verdict.comparisons.get((first, place)) if ranked and first is not None and place != first else None
    settings = {_column(key): {**leaderboard.fixed, **configuration.settings}.get(key) for key in keys}
    return settings | {
        "contest": number,
        "metric": leaderboard.metric_name,
        "lower_is_better": leaderboard.sign > 0,
        "select": leaderboard.how,
        "rank": verdict.order.index(place) + 1 if ranked and place not in verdict.no_better else None,
        "mean": estimate.mean,
        "sd": estimate.sd,
        "low": estimate.low,
        "high": estimate.high,
        "interval": estimate.method or None,
        "n": estimate.n,
        "num_na": estimate.num_na,
        "num_failed": configuration.num_failed,
        "num_missing": configuration.num_missing,
        "untrained": statistics.fmean(configuration.untrained) if configuration.untrained else None,
        "no_better_than_untrained": place in verdict.no_better,
        "p_first": verdict.p_first.get(place),
        "beats": verdict.beats(place) if ranked else None,
        "p_against_first": against.adjusted if against else None,
        "p_equivalent": against.equivalence if against and against.margin is not None else None,
        "more_seeds": against.more_seeds()
        if against and estimate.n and not (against.beaten() or against.equivalent())
        else None,
        "verdict": verdict.against_first(place),
        "optimistic": any(selected.optimistic for selected in configuration.selected.values()),
    }


def _column(key: str) -> str:
    return f"setting.{key}" if key in COLUMNS else key


def _field(value: Any) -> Any:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    return str(value).lower() if isinstance(value, bool) else plain(value) if isinstance(value, (list, dict)) else value


def _json(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
