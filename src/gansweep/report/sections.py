"""Sections of a report below its table, in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from gansweep import papers
from gansweep.report import diverged, portraits, scatter, sensitivity, targets, tuning, values
from gansweep.report.study import Study
from gansweep.report.verdict import Verdict
from gansweep.report.verdict_text import told
from gansweep.section import Section

PARTS: Sequence[Callable[[Verdict], Section | None]] = (
    told,
    values.section,
    portraits.section,
    scatter.section,
    sensitivity.section,
    tuning.section,
    targets.section,
    diverged.section,
)


def sections(study: Study, verdicts: Sequence[Verdict]) -> list[Section]:
    """Return all sections; comparisons with published results come last."""
    found = []
    for which, verdict in zip(names(verdicts), verdicts, strict=True):
        for part in PARTS:
            section = part(verdict)
            if section is not None:
                found.append(replace(section, title=f"{section.title} ({which})") if which else section)
    return found + papers.sections(study.directory)


def names(verdicts: Sequence[Verdict]) -> list[str]:
    """Return a name per table, for example `table 2: w1, data=ring`; a single table has an empty name."""
    if len(verdicts) == 1:
        return [""]
    contests = [verdict.contest for verdict in verdicts]
    return [
        f"table {number}: {', '.join(filter(None, (contest.metric_name, contest.label)))}"
        for number, contest in enumerate(contests, 1)
    ]
