"""What a report says below its table, in this order."""

from __future__ import annotations

from collections.abc import Sequence

from gansweep.report.section import Section
from gansweep.report.study import Study
from gansweep.report.told import told
from gansweep.report.verdict import Verdict


def sections(study: Study, verdicts: Sequence[Verdict]) -> list[Section]:
    """Write all sections. A part that has something to say about a sweep adds its own here."""
    found = []
    for verdict in verdicts:
        found.append(told(verdict))
    return found
