"""TensorBoard event files of a sweep, written before and after its runs without importing torch."""

from __future__ import annotations

import importlib
import io
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gansweep.formatting import visible

# TensorBoard reads files in the order of their names, which begin with the time in seconds.
PREFIX = "events.out.tfevents."
ROW = f"{PREFIX}0000000000.row"  # HPARAMS row of a run
END = f"{PREFIX}9999999999.end"  # results of a run
PLAYERS = ("discriminator", "generator")
METRIC = "Metric"  # group of the curves of metrics; TensorBoard shows capital letters first


def protobuf(name: str) -> Any:
    """Import a TensorBoard module whose classes are generated at run time."""
    return importlib.import_module(f"tensorboard.{name}")


def row(hparams: Mapping[str, Any], group: str) -> Any:
    """Return the HPARAMS row of a run. Runs of one group share a row, which shows their means.

    torch's `add_hparams` is not used: of several `hparams_config` entries TensorBoard reads only the first.
    """
    columns = {visible(key): plain(value) for key, value in hparams.items()}
    # The start time is 0, so that equal rows are equal bytes; the events hold the time.
    return protobuf("plugins.hparams.summary_v2").hparams_pb(columns, trial_id=visible(group), start_time_secs=0.0)


def plain(value: Any) -> bool | int | float | str:
    """Return a value as HPARAMS accepts it: bool, int and float unchanged, anything else as text."""
    return value if isinstance(value, bool | int | float) else visible(str(value))


def result_tags(name: str, is_second: bool = False) -> tuple[str, str]:
    """Return the tags of the final and the best value of a metric. They name the metric, as all runs share columns.

    >>> result_tags("fd_digits")
    ('result/final fd_digits', 'result/best fd_digits')
    >>> result_tags("w1", is_second=True)
    ('result/final w1, second metric', 'result/best w1, second metric')
    """
    suffix = ", second metric" if is_second else ""
    return visible(f"result/final {name}{suffix}"), visible(f"result/best {name}{suffix}")


def reference_tags(name: str, is_second: bool = False) -> tuple[str, str]:
    """Return the tags of the two ends of a metric's scale: of the untrained generator, and of real samples.

    >>> reference_tags("fd_digits")
    ('result/untrained fd_digits', 'result/real against real fd_digits')
    """
    suffix = ", second metric" if is_second else ""
    return visible(f"result/untrained {name}{suffix}"), visible(f"result/real against real {name}{suffix}")


def results(content: Mapping[str, Any]) -> dict[str, float]:
    """Return the results of a run for HPARAMS by tag. A missing final value is NaN, as are means over seeds."""
    values = {}
    for metric, is_second in ((content["metric"], False), (content.get("metric_2"), True)):
        if metric is not None:
            final, best = result_tags(metric["name"], is_second)
            values[final] = float("nan") if metric["final"] is None else metric["final"]
            if metric["best"] is not None:
                values[best] = metric["best"]
            ends = zip(reference_tags(metric["name"], is_second), ("untrained", "floor"), strict=True)
            values |= {tag: metric[field] for tag, field in ends if metric.get(field) is not None}
    return values


def text(tag: str, content: str) -> Any:
    """Return a summary of a Markdown text."""
    return protobuf("plugins.text.summary_v2").text_pb(tag, content)


def end(finished: bool, results: Mapping[str, float], end_time_s: float | None = None) -> Any:
    """Return the end state and the results of a run for HPARAMS; `end_time_s` is a Unix time, None for now."""
    api, plugin = (protobuf(f"plugins.hparams.{name}") for name in ("api_pb2", "plugin_data_pb2"))
    metadata = protobuf("plugins.hparams.metadata")
    end_time_s = time.time() if end_time_s is None else end_time_s
    status = api.STATUS_SUCCESS if finished else api.STATUS_FAILURE
    data = plugin.HParamsPluginData(session_end_info=plugin.SessionEndInfo(status=status, end_time_secs=end_time_s))
    summary = protobuf("compat.proto.summary_pb2").Summary()
    summary.value.add(
        tag=metadata.SESSION_END_INFO_TAG,
        metadata=metadata.create_summary_metadata(data),
        tensor=metadata.NULL_TENSOR,
    )
    for tag, value in results.items():
        summary.value.add(tag=tag, simple_value=value)
    return summary


def put(path: Path, summaries: Sequence[Any], step: int = 0) -> None:
    """Write summaries to a separate event file, unless an earlier one already contains them.

    Raises:
        OSError: it can't be written.
    """
    texts = [summary.SerializeToString() for summary in summaries]
    if path.is_file():
        existing = path.read_bytes()
        if all(text in existing for text in texts):
            return
    event = protobuf("compat.proto.event_pb2").Event
    file = io.BytesIO()
    writer = protobuf("summary.writer.record_writer").RecordWriter(file)
    for summary in summaries:
        writer.write(event(wall_time=time.time(), step=step, summary=summary).SerializeToString())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file.getvalue())


def event_files(directory: Path) -> list[Path]:
    """Return the event files of a run, in the order of their names."""
    return sorted(directory.glob(f"{PREFIX}*"))


def losses(directory: Path) -> dict[str, dict[int, float]]:
    """Return the losses of a run by player and step; a truncated last event is ignored."""
    loader = protobuf("backend.event_processing.event_file_loader").EventFileLoader
    make_ndarray = protobuf("util.tensor_util").make_ndarray
    values: dict[str, dict[int, float]] = {}
    for path in event_files(directory):
        for event in loader(str(path)).Load():
            for value in event.summary.value:
                group, _, player = value.tag.partition("/")
                if group == "loss" and player in PLAYERS and value.HasField("tensor"):
                    values.setdefault(player, {})[event.step] = float(make_ndarray(value.tensor))
    return {player: dict(sorted(values[player].items())) for player in PLAYERS if player in values}
