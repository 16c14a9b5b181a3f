"""TensorBoard files of a sweep: rows and columns of HPARAMS, the layout of custom scalars, and the table.

Use `tensorboard --logdir outputs/<sweep>`. If several sweeps are below the log directory, TensorBoard uses the HPARAMS
columns of one of them for all; the tags of results name the metric, so that no column has values of two metrics.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gansweep.formatting import markdown, metric_label, visible
from gansweep.sweep.cell import Cell, Result, State
from gansweep.sweep.identity import plain
from gansweep.sweep.sweep_keys import SEED, SEEDS, is_number, order, swept_keys, value
from gansweep.training import events
from gansweep.training.events import protobuf

log = logging.getLogger(__name__)

# Separate files, since TensorBoard does not read a file again.
COLUMNS, TABLE = f"{events.PREFIX}0000000000.columns", f"{events.PREFIX}0000000001.table"
TENSORBOARD = "gansweep.training.tensorboard.TensorBoard"  # of conf/logger/tensorboard.yaml
SELDOM = "Measured on request"  # a category that is collapsed initially
CHARTS = {  # tags of the curves by category and chart
    "Game": {"metric": ["[Mm]etric/.*"], "losses": ["loss/.*"], "penalties": ["penalty/.*"], "logits": ["logits/.*"]},
    "Steps": {"learning rates": ["rate/.*"], "gradient norms": ["gradient norm/.*"]},
    SELDOM: {
        "measured by the algorithm": ["measured/.*"],
        "norms of the field": ["diagnosis/.*norm.*"],
        "leading eigenvalue": ["diagnosis/eigenvalue_(real|imaginary)"],
    },
}

# Description and unit of each group of curves. Written as text: TensorBoard's fast server drops descriptions of curves.
UNITS = {
    "loss": "Loss that the player minimises, including penalties, in units of the loss (nats for a likelihood).",
    "logits": "Mean output of the discriminator, before any sigmoid.",
    "penalty": "Weighted penalty on the discriminator's input gradients, in the units of the loss.",
    "gradient norm": "Euclidean norm over all parameters of the player, in loss per unit of parameter.",
    "rate": "Current learning rate: lr x schedule x gain.",
    "Metric": "Value of the metric of that name at every evaluation; step 0 is the untrained generator.",
    "measured": "Scalars recorded by the algorithm at every evaluation.",
    "diagnosis": "The game's field and its Jacobian; see docs/diagnostics.md.",
    "result": "Result of the run: the metric after the last step, NaN after a divergence, its best value, its value "
    "before the first step, and that of real against real samples.",
}


def write(
    root: Path,
    cells: Sequence[Cell],
    table: str | None = None,
    further: Mapping[str, Mapping[str, Mapping[str, Any]]] = MappingProxyType({}),
    results: Sequence[Result] = (),
) -> None:
    """Write the TensorBoard files of a sweep into its directory and those of its cells.

    The varied settings may change with every added grid, so the rows are written by the sweep and not by the runs. A
    write error is logged as a warning.

    Args:
        root: directory of the sweep.
        cells: all cells, including earlier ones.
        table: Markdown table, None if it does not exist yet.
        further: metrics that were measured after the training, as `further_metrics` returns them.
        results: the results of the cells; without them, metrics of cells that other processes built are left out.
    """
    shown = [cell for cell in cells if has_events(cell)]
    if not shown:
        return
    rows = table_of(shown)
    columns = _columns(shown, results)
    columns |= {further_tag(label): f"final {label}, measured after training" for label in further}
    try:
        events.put(root / COLUMNS, [_experiment(rows, columns), _layout(), _units()])
        for result in results:
            _put_further(result, further)
        if table is not None:
            events.put(root / TABLE, [events.text("table", table)])
        for cell, row in zip(shown, rows, strict=True):
            events.put(cell.directory / events.ROW, [events.row(row, group(root.name, row))])
    except OSError as error:
        log.warning("The HPARAMS files of %s could not be written: %s", root, error)


def _columns(cells: Sequence[Cell], results: Sequence[Result]) -> dict[str, str]:
    """Return the display name of the final, the best, the untrained and the real value of every metric, by tag."""
    names: dict[tuple[str, bool], None] = {}
    for cell in cells:
        for metric, is_second in ((cell.run and cell.run.metric, False), (cell.run and cell.run.metric_2, True)):
            names |= {(metric.name, is_second): None} if metric else {}
    for result in results:
        for entry, is_second in ((result.metric, False), (result.metric_2, True)):
            names |= {(str(entry["name"]), is_second): None} if entry else {}
    columns = {}
    for name, is_second in names:
        final, best = events.result_tags(name, is_second)
        which = f"{metric_label(name)}{', second metric' if is_second else ''}"
        untrained, real = events.reference_tags(name, is_second)
        columns |= {final: f"final {which}", best: f"best {which} during training"}
        columns |= {untrained: f"untrained {which}", real: f"real against real {which}"}
    return columns


def has_events(cell: Cell) -> bool:
    """Return whether the run of a cell writes event files; cells of earlier versions have no loggers to choose."""
    loggers = cell.config.get("logger")
    is_chosen = loggers is None or any(node.get("_target_") == TENSORBOARD for node in loggers.values())
    return is_chosen and bool((cell.config.get("trainer") or {}).get("tensorboard"))


def further_tag(label: str) -> str:
    """Return the tag of the final value of a metric that was measured after the training."""
    return visible(f"result/final {label}, measured after training")


def _put_further(result: Result, further: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    """Write the results of a run again, with the metrics that were measured after its training."""
    measured = {label: entries[result.cell.hash] for label, entries in further.items() if result.cell.hash in entries}
    path = result.cell.directory / events.END
    if measured and result.record is not None and path.is_file():
        finals = {further_tag(label): entry["final"] for label, entry in measured.items()}
        values = events.results(result.record) | {tag: value for tag, value in finals.items() if value is not None}
        ended = datetime.fromisoformat(result.record["time"]["finished"]).timestamp()  # equal bytes in every call
        events.put(path, [events.end(result.state is State.COMPLETED, values, ended)], int(result.record["steps"]))


def table_of(cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """Return the varied settings of every cell; the values of each column are all numbers or all strings.

    The seed is omitted, so that runs that differ only in the seed share a row, unless nothing else is varied.
    """
    keys = [key for key in swept_keys(cells) if key not in SEEDS] or [SEED]
    columns = {key: [value(cell, key) for cell in cells] for key in keys}
    columns = {
        visible(key): values if all(map(is_number, values)) else [visible(plain(setting)) for setting in values]
        for key, values in columns.items()
    }
    return [{key: values[place] for key, values in columns.items()} for place in range(len(cells))]


def group(sweep: str, row: Mapping[str, Any]) -> str:
    """Return the name of a row, which must be unique below TensorBoard's log directory."""
    return visible(f"{sweep}: " + ", ".join(f"{key}={plain(setting)}" for key, setting in row.items()))


def _experiment(rows: Sequence[Mapping[str, Any]], results: Mapping[str, str]) -> Any:
    """Return the HPARAMS columns. Without them, every curve of every run would be a column."""
    api, metadata = protobuf("plugins.hparams.api_pb2"), protobuf("plugins.hparams.metadata")
    experiment = api.Experiment(
        hparam_infos=[_column(api, key, order([row[key] for row in rows])) for key in rows[0]],
        metric_infos=[
            api.MetricInfo(name=api.MetricName(tag=tag), display_name=name, description=UNITS["result"])
            for tag, name in results.items()
        ],
    )
    data = protobuf("plugins.hparams.plugin_data_pb2").HParamsPluginData(experiment=experiment)
    return _summary(metadata.EXPERIMENT_TAG, metadata.create_summary_metadata(data), metadata.NULL_TENSOR)


def _column(api: Any, key: str, distinct: Sequence[Any]) -> Any:
    if is_number(distinct[0]):
        return api.HParamInfo(name=key, type=api.DATA_TYPE_FLOAT64)
    column = api.HParamInfo(name=key, type=api.DATA_TYPE_STRING)
    column.domain_discrete.extend(distinct)
    return column


def _layout() -> Any:
    """Return the layout of the page of custom scalars."""
    layout, metadata = (protobuf(f"plugins.custom_scalar.{name}") for name in ("layout_pb2", "metadata"))
    page = layout.Layout(
        category=[
            layout.Category(
                title=title,
                closed=title == SELDOM,
                chart=[
                    layout.Chart(title=name, multiline=layout.MultilineChartContent(tag=tags))
                    for name, tags in charts.items()
                ],
            )
            for title, charts in CHARTS.items()
        ]
    )
    string = protobuf("compat.proto.types_pb2").DT_STRING
    tensor = protobuf("compat.proto.tensor_pb2").TensorProto(dtype=string, string_val=[page.SerializeToString()])
    return _summary(metadata.CONFIG_SUMMARY_TAG, metadata.create_summary_metadata(), tensor)


def _units() -> Any:
    return events.text("units", markdown(["curves", "meaning"], list(UNITS.items())))


def _summary(tag: str, metadata: Any, tensor: Any) -> Any:
    summary = protobuf("compat.proto.summary_pb2").Summary()
    summary.value.add(tag=tag, metadata=metadata, tensor=tensor)
    return summary
