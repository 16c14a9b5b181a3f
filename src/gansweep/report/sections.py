"""What a report says below its table, in this order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gansweep import papers
from gansweep.report import diverged, points, portraits, sensitivity, targets, tuning, values
from gansweep.report.study import Study
from gansweep.report.told import told
from gansweep.report.verdict import Verdict
from gansweep.section import Section
from gansweep.sweep.comparable import labels

PARTS: Sequence[Callable[[Verdict], Section | None]] = (
    told,
    values.section,
    portraits.section,
    points.section,
    sensitivity.section,
    tuning.section,
    targets.section,
    diverged.section,
)


def sections(study: Study, verdicts: Sequence[Verdict]) -> list[Section]:
    """Write all sections; those that hold a paper's sweep against the paper come last."""
    found = []
    for which, verdict in zip(names(verdicts), verdicts, strict=True):
        for part in PARTS:
            section = part(verdict)
            if section is not None:
                found.append(
                    Section(f"{section.title} ({which})" if which else section.title, section.text, section.pictures)
                )
    return found + papers.sections(study.directory)


def names(verdicts: Sequence[Verdict]) -> list[str]:
    """Tell tables apart: `table 2: w1, data=ring`. One alone has no name."""
    if len(verdicts) == 1:
        return [""]
    told_apart = labels([verdict.contest.results for verdict in verdicts])
    return [
        f"table {number}: {', '.join(filter(None, (verdict.contest.metric_name, label)))}"
        for number, (verdict, label) in enumerate(zip(verdicts, told_apart, strict=True), 1)
    ]
