"""Output of plan=true, plan=json, plan=edge and plan=edge_json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gansweep.cli import edge
from gansweep.cli.distribution import cost_by_probe, num_workers
from gansweep.console import say
from gansweep.sweep.bounds import fitting_note
from gansweep.sweep.sweep import Sweep


def show(sweep: Sweep, config: Mapping[str, Any], *more: str) -> None:
    """Print what a command line would train, as text or as JSON.

    Args:
        sweep: the sweep with the cells of the command line.
        config: configuration of the command line.
        more: notes on runs that may follow, depending on the results.
    """
    plan = sweep.plan(config["retry_failed"], cost_by_probe())
    if config["hours"] is not None:
        workers = num_workers(config, sum(planned.is_trained for planned in plan.cells))
        more = (*more, fitting_note(plan, config["hours"], workers))
    plan = replace(plan, notes=[*plan.notes, *filter(None, more)])
    asked = str(config["plan"])
    if asked.startswith("edge"):
        warnings, notes = edge.warnings_of([planned.result.cell for planned in plan.cells if planned.is_trained])
        plan = replace(plan, warnings=warnings, notes=[*plan.notes, *notes])
    say(plan.json() if asked.endswith("json") else plan.text())
