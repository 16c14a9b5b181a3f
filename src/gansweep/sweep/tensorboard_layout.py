"""What a sweep tells TensorBoard beyond what its runs do: rows and columns of HPARAMS, a layout, the table.

Meant for `tensorboard --logdir outputs/<sweep>`: of several sweeps below one directory TensorBoard would take the
columns of the first for all.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gansweep.formatting import markdown, visible
from gansweep.sweep.cell import Cell
from gansweep.sweep.identity import plain
from gansweep.sweep.sweep_keys import SEED, is_number, order, swept_keys, value
from gansweep.training import events
from gansweep.training.events import protobuf

log = logging.getLogger(__name__)

# Each in a file of its own: one that TensorBoard has read it does not read again.
COLUMNS, TABLE = f"{events.PREFIX}0000000000.columns", f"{events.PREFIX}0000000001.table"
RESULTS = {"result/final": "final", "result/best": "best on the way"}
SECOND = {f"{tag}_2": f"{name}, second metric" for tag, name in RESULTS.items()}
SELDOM = "Measured on request"  # a category that is closed at first
CHARTS = {  # a category, its charts, and which curves each shows
    "Game": {"metric": ["metric/.*"], "losses": ["loss/.*"], "penalties": ["penalty/.*"], "logits": ["logits/.*"]},
    "Steps": {"learning rates": ["rate/.*"], "gradient norms": ["gradient norm/.*"]},
    SELDOM: {
        "measured by the algorithm": ["measured/.*"],
        "norms of the field": ["diagnosis/.*norm.*"],
        "leading eigenvalue": ["diagnosis/eigenvalue_(real|imaginary)"],
    },
}

# What each group of curves is measured in. A text: TensorBoard's faster server drops descriptions of curves.
UNITS = {
    "loss": "What the player lowers, penalties included, in the units of the loss (nats where it is a likelihood).",
    "logits": "Mean output of the discriminator, before any sigmoid.",
    "penalty": "Weight times the mean score of the slopes, in the units of the loss.",
    "gradient norm": "Euclidean norm over all parameters of the player, in loss per unit of parameter.",
    "rate": "Learning rate in force: lr x schedule x gain.",
    "metric": "Value of the metric of that name at every evaluation; step 0 is the untrained generator.",
    "measured": "What the algorithm says of itself at every evaluation.",
    "diagnosis": "The game's field and its Jacobian; see docs/diagnostics.md.",
    "result": "What the run came to: the metric after the last step, NaN after a divergence, and its best on the way.",
}


def tell(root: Path, cells: Sequence[Cell], table: str | None = None) -> None:
    """Write what is known of a sweep into its directory and those of its cells.

    What is varied may change with every grid that is added, so the rows are not left to the runs. If they can't be
    written, that is said and nothing else happens.

    Args:
        root: of the sweep.
        cells: all of them, earlier ones too.
        table: in Markdown, once there is one.
    """
    shown = [cell for cell in cells if (cell.config.get("trainer") or {}).get("tensorboard")]
    if not shown:
        return
    rows = table_of(shown)
    second = any(cell.config.get("metric_2") for cell in shown)
    try:
        events.put(root / COLUMNS, [_experiment(rows, RESULTS | (SECOND if second else {})), _layout(), _units()])
        if table is not None:
            events.put(root / TABLE, [_text("table", table)])
        for cell, row in zip(shown, rows, strict=True):
            events.put(cell.directory / events.ROW, [events.row(row, group(root.name, row))])
    except OSError as error:
        log.warning("What HPARAMS shows of %s can't be written: %s", root, error)


def table_of(cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """Return for every cell what is varied: a column of numbers or one of words.

    The seed is no column, as runs that differ in nothing else share a row, unless nothing else is varied.
    """
    keys = [key for key in swept_keys(cells) if key != SEED] or [SEED]
    found = {key: [value(cell, key) for cell in cells] for key in keys}
    found = {
        visible(key): values if all(map(is_number, values)) else [visible(plain(one)) for one in values]
        for key, values in found.items()
    }
    return [{key: values[place] for key, values in found.items()} for place in range(len(cells))]


def group(sweep: str, row: Mapping[str, Any]) -> str:
    """Name a row, which has to be the only one of this name below the directory that TensorBoard shows."""
    return visible(f"{sweep}: " + ", ".join(f"{key}={plain(one)}" for key, one in row.items()))


def _experiment(rows: Sequence[Mapping[str, Any]], results: Mapping[str, str]) -> Any:
    """Say which columns there are. Without this every curve of every run would be one."""
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
    """Lay out the page of custom scalars."""
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
    return _text("units", markdown(["curves", "what they are"], list(UNITS.items())))


def _text(tag: str, text: str) -> Any:
    return protobuf("plugins.text.summary_v2").text_pb(tag, text)


def _summary(tag: str, metadata: Any, tensor: Any) -> Any:
    summary = protobuf("compat.proto.summary_pb2").Summary()
    summary.value.add(tag=tag, metadata=metadata, tensor=tensor)
    return summary
