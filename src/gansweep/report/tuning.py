"""What tuning buys: methods by their best of k settings."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gansweep.formatting import markdown, number
from gansweep.report.leaderboard import Candidate
from gansweep.report.plot_axes import Roles
from gansweep.report.verdict import Verdict
from gansweep.section import Section
from gansweep.statistics.best_of_k import expected_best

SHOWN = (1, 2, 3, 5, 10, 20, 50)


@dataclass(frozen=True)
class Tuned:
    """One method.

    Args:
        name: of the method.
        best: expected best value after k settings, k = 1 ...
        none: chance that none of the k has a value.
    """

    name: str
    best: np.ndarray
    none: np.ndarray


def tuned(verdict: Verdict) -> list[Tuned]:
    """Return every method that was tried with several settings.

    A setting's value is its mean over seeds; if a seed of it is N/A, it has none.
    """
    contest, roles = verdict.contest, Roles.of(verdict.contest)
    found = []
    for method in roles.methods:
        own = [one for one in roles.with_method(contest.candidates, method) if one.scores]
        if len(own) > 1:
            best, none = expected_best([contest.sign * _value(one) for one in own])
            name = f"{roles.method}={roles.label(method)}" if roles.method else "all settings"
            found.append(Tuned(name, contest.sign * best, none))
    return found


def _value(one: Candidate) -> float:
    return math.nan if one.estimate.num_na else one.estimate.mean


def section(verdict: Verdict) -> Section | None:
    """Say it, None where no method was tried with several settings."""
    from gansweep.report.pictures.tuning import tuning_picture

    found = tuned(verdict)
    if not found:
        return None
    ks = [k for k in SHOWN if k <= max(len(one.best) for one in found)]
    rows = [[one.name, *(_entry(one, k) for k in ks)] for one in found]
    text = (
        f"Expected best {verdict.contest.how} {verdict.contest.metric_name} (mean over seeds) of the first k settings "
        "that one tries, in random order (Dodge et al. 2019; without replacement, Tang et al. 2020). A setting of "
        "which a seed is N/A is never the best; in brackets the chance that all k are like that.\n\n"
        + markdown(["", *(f"k={k}" for k in ks)], rows)
    )
    return Section("What tuning buys", text, {"Expected best of k settings": lambda: tuning_picture(verdict)})


def _entry(one: Tuned, k: int) -> str:
    if k > len(one.best):
        return "-"
    none = f" ({one.none[k - 1]:.0%})" if one.none[k - 1] > 0.005 else ""
    return f"{number(one.best[k - 1])}{none}" if math.isfinite(one.best[k - 1]) else "N/A"
