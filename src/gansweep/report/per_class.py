"""Report section: values of single classes, of metrics that have them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

from gansweep.report.verdict import Verdict
from gansweep.results.configuration import FINAL, Configuration, spread
from gansweep.section import Block, Paragraph, Section, Table
from gansweep.sweep.cell import Result
from gansweep.sweep.metric_groups import further_metrics

MOST_CONFIGURATIONS, MOST_CLASSES = 4, 20

PerClass = Callable[[Result], Sequence[float] | None]  # values of the classes of one run, None without values


def section(verdict: Verdict) -> Section | None:
    """Return the section with one table for each metric that has values of classes; None if there is no such metric."""
    shown = [verdict.leaderboard.configurations[place] for place in verdict.order][:MOST_CONFIGURATIONS]
    tables = [block for name, functions in _metrics(verdict).items() for block in _table(name, *functions, shown)]
    if not tables:
        return None
    when = "last evaluation" if verdict.leaderboard.how == FINAL else "best evaluation"
    text = (
        f"Values within each class at the {when} of a run (of metrics measured after the training: at the last step), "
        "mean ± standard deviation (number of runs), best configuration first. The value of a run is the mean over its "
        "classes. Untrained: the runs of all these configurations before the first step."
    )
    return Section("Single classes", [Paragraph(text), *tables])


def _metrics(verdict: Verdict) -> dict[str, tuple[PerClass, PerClass]]:
    """Return the functions from a run to its values of classes, trained and untrained, by the name of the metric."""
    leaderboard = verdict.leaderboard
    which = "final_step" if leaderboard.how == FINAL else "best_step"

    def recorded(field: str, at: str) -> PerClass:
        def per_class(run: Result) -> Sequence[float] | None:
            step = run.metric.get(at) if at else 0
            found = [e.get(field) for e in run.evaluations if step is not None and e["step"] == step]
            return _complete(found[0]) if found else None

        return per_class

    second = next((run.metric_2["name"] for run in leaderboard.results if run.metric_2), "second metric")
    fields = {leaderboard.metric_name: "per_class", str(second): "per_class_2"}
    metrics = {name: (recorded(field, which), recorded(field, "")) for name, field in fields.items()}
    for label, entries in further_metrics(leaderboard.results).items():
        metrics[f"{label}, measured after training"] = (
            lambda run, entries=entries: _complete(entries.get(run.cell.hash, {}).get("per_class")),
            lambda _: None,
        )
    return metrics


def _complete(values: Any) -> Sequence[float] | None:
    return values if values and all(value is not None for value in values) else None


def _table(name: str, trained: PerClass, untrained: PerClass, configurations: Sequence[Configuration]) -> list[Block]:
    """Return the table of a metric with one row for each class; empty if no configuration has values."""
    columns: dict[str, list[Sequence[float]]] = {}
    for configuration in configurations:
        values = [found for run in configuration.runs.values() if (found := trained(run)) is not None]
        if values:
            columns[configuration.name] = values
    if not columns:
        return []
    first = next(iter(columns.values()))
    means = [fmean(of_class) for of_class in zip(*first, strict=True)]
    classes, caption = range(len(means)), name
    if len(means) > MOST_CLASSES:
        classes = sorted(classes, key=lambda c: means[c], reverse=True)[:MOST_CLASSES]
        caption = f"{name}: the {MOST_CLASSES} largest values of {len(means)} classes, of the first configuration"
    before = [v for one in configurations for run in one.runs.values() if (v := untrained(run)) is not None]
    columns |= {"untrained": before} if before else {}
    rows = [[f"{c}", *(spread([run[c] for run in runs], len(runs)) for runs in columns.values())] for c in classes]
    rows.append(["mean of all", *(spread([fmean(run) for run in runs], len(runs)) for runs in columns.values())])
    return [Table(["class", *columns], rows, caption)]
