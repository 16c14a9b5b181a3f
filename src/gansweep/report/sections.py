"""What a report says below its table, in this order."""

from __future__ import annotations

from gansweep.report.section import Section
from gansweep.report.study import Study


def sections(study: Study) -> list[Section]:
    """Write all sections. A part that has something to say about a sweep adds its own here."""
    return []
