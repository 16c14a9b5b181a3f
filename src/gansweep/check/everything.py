"""All checks of one configuration."""

from __future__ import annotations

from collections.abc import Iterator

from gansweep.check import convergence, dynamics, loss, members, optimizer, penalty, rates, schedule
from gansweep.check.bench import Subject
from gansweep.check.finding import Finding

FAMILIES = (optimizer, schedule, loss, penalty, dynamics, rates, members, convergence)


def findings(subject: Subject) -> Iterator[Finding]:
    """Run all checks and yield their findings."""
    for family in FAMILIES:
        for check in family.checks(subject):
            yield check()
