"""What a report says below its table, in this order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gansweep import papers
from gansweep.report import diverged, sensitivity, targets, tuning, values
from gansweep.report.section import Section
from gansweep.report.study import Study
from gansweep.report.told import told
from gansweep.report.verdict import Verdict

PARTS: Sequence[Callable[[Verdict], Section | None]] = (
    told,
    values.section,
    sensitivity.section,
    tuning.section,
    targets.section,
    diverged.section,
)


def sections(study: Study, verdicts: Sequence[Verdict]) -> list[Section]:
    """Write all sections; those that hold a paper's sweep against the paper come last."""
    found = []
    for number, verdict in enumerate(verdicts, 1):
        which = f" (table {number}: {verdict.contest.metric_name})" if len(verdicts) > 1 else ""
        for part in PARTS:
            section = part(verdict)
            if section is not None:
                found.append(Section(section.title + which, section.text, section.pictures))
    return found + papers.sections(study.directory)
