"""Schema of record.json: the fields that are read, their types, and the check of a record against them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

STATES = ("completed", "diverged", "dropped", "failed")
LARGEST = 1e300  # a larger integer overflows when it is converted to a float
Check = Callable[[Any], bool]


def check_shape(content: Mapping[str, Any]) -> None:
    """Check that all fields of a record that are read are present and have the right type.

    Raises:
        ValueError: names the wrong field.
    """
    for parent, fields in _fields_by_parent().items():
        for where, node in _parents("", content, f"{parent}key"):
            for key, required, fits in fields:
                if required and key not in node:
                    raise ValueError(f"{where}{key} is missing")
                if (required or node.get(key) is not None) and not fits(node[key]):
                    raise ValueError(f"{where}{key} is {_shown(node[key])}")
    for part in ("curves", "diagnostics"):
        for where, node in _parents("", content, f"{part}[].step"):
            for key in node.keys() - {"step"}:
                if not (_is_measured(node[key]) or isinstance(node[key], (str, list, dict))):
                    raise ValueError(f"{where}{key} is {_shown(node[key])}")
    for state, part in (("diverged", "divergence"), ("dropped", "dropped"), ("failed", "error")):
        if content["state"] == state and content.get(part) is None:
            raise ValueError(f"{part} is missing")
    check_numbers("", content)


@cache
def _fields_by_parent() -> dict[str, list[tuple[str, bool, Check]]]:
    """Return key, whether it is required and check of all fields of `SCHEMA`, by the path of their parent."""
    groups: dict[str, list[tuple[str, bool, Check]]] = {}
    for field, fits in SCHEMA.items():
        parent, dot, key = field.removesuffix("!").rpartition(".")
        groups.setdefault(f"{parent}{dot}", []).append((key, field.endswith("!"), fits))
    return groups


def _parents(where: str, node: Mapping[str, Any], path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the mappings that have the last key of a path, each after its own path; `a[].b` means all items of `a`."""
    part, _, rest = path.partition(".")
    key = part.removesuffix("[]")
    if not rest:
        yield where, node
    elif part == key and node.get(key) is not None:
        yield from _parents(f"{where}{key}.", node[key], rest)
    elif part != key:
        for place, item in enumerate(node.get(key) or ()):
            if not isinstance(item, dict):
                raise ValueError(f"{where}{key}[{place}] is {_shown(item)}")
            yield from _parents(f"{where}{key}[{place}].", item, rest)


def check_numbers(where: str, node: Any) -> None:
    """Raise ValueError for integers anywhere in a record that are too large for a float."""
    if _fits_float(node):  # fast; the paths are only needed for the message
        return
    if isinstance(node, dict):
        for key, inner in node.items():
            check_numbers(f"{where}.{key}" if where else key, inner)
    elif isinstance(node, list):
        for place, inner in enumerate(node):
            check_numbers(f"{where}[{place}]", inner)
    elif isinstance(node, int) and abs(node) > LARGEST:
        raise ValueError(f"{where} is {_shown(node)}")


def _fits_float(node: Any) -> bool:
    """Return whether all integers below a node are at most `LARGEST`; without a call per leaf, as records are large."""
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else (node,):
        kind = type(inner)  # of JSON; the tests are in the order of their frequency
        if kind is int:
            if not -LARGEST <= inner <= LARGEST:
                return False
        elif (kind is dict or kind is list) and not _fits_float(inner):
            return False
    return True


def _shown(value: Any) -> str:
    """Return a short text of a value; Python refuses to format integers of thousands of digits."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST:
        return "a whole number that is too large"
    text = repr(value) if not isinstance(value, (dict, list)) else f"a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _is_a(*types: type) -> Check:
    return lambda value: isinstance(value, types)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= LARGEST


def _is_measured(value: Any) -> bool:
    """Return True for a number or null, and for NaN, which earlier versions wrote."""
    return value is None or _is_number(value) or (isinstance(value, float) and value != value)


def _are_measured(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_measured, value))


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and _is_number(value)


def _fields(prefix: str, check: Check, *names: str) -> dict[str, Check]:
    return {f"{prefix}{name}": check for name in names}


TEXT, MAPPING, LIST, FLAG = map(_is_a, (str, dict, list, bool))
METRICS = ("metric.", "metric_2.")
# Types of the fields by path, parents first. `!` marks a field that must be there; other fields may be null.
SCHEMA: dict[str, Check] = {
    "state!": lambda value: isinstance(value, str) and value in STATES,
    **_fields("", MAPPING, "cell!", "config!", "identity!", "time!"),
    "steps": _is_whole,
    **_fields(
        "", MAPPING, "metric", "metric_2", "divergence", "dropped", "error", "seeds", "versions", "device", "pack"
    ),
    **_fields("", LIST, "curves", "diagnostics"),
    "config.trainer": MAPPING,
    **_fields("config.", _is_number, "steps", "seed"),
    "cell.hash!": TEXT,
    "cell.overrides!": MAPPING,
    **_fields("time.", TEXT, "started", "finished"),
    **_fields("time.", _is_number, "wall_s", "steps_per_s", "eval_s", "memory_bytes"),
    "time.evaluations": LIST,
    "time.evaluations[].step!": _is_whole,
    "time.evaluations[].trained_s!": _is_number,
    **{f"{metric}name!": TEXT for metric in METRICS},
    **{f"{metric}fingerprint": MAPPING for metric in METRICS},
    **{f"{metric}lower_is_better": FLAG for metric in METRICS},
    **{f"{metric}{name}": _is_whole for metric in METRICS for name in ("final_step", "best_step")},
    **{
        f"{metric}{name}": _is_number
        for metric in METRICS
        for name in ("floor", "untrained", "final", "best", "best_apart")
    },
    "further_metrics": LIST,
    "further_metrics[].name!": TEXT,
    "further_metrics[].fingerprint!": MAPPING,
    "further_metrics[].lower_is_better": FLAG,
    **_fields("further_metrics[].", _is_number, "floor", "final"),
    "further_metrics[].final_step!": _is_whole,
    "further_metrics[].per_class": _are_measured,
    **_fields("further_metrics[].", TEXT, "reason", "measured"),
    "metric.evaluations!": LIST,
    "metric.evaluations[].step!": _is_whole,
    "metric.evaluations[].value!": _is_measured,
    **_fields("metric.evaluations[].", _is_number, "value_2", "apart", "heard"),
    **_fields("metric.evaluations[].", LIST, "draws", "apart_draws"),
    **_fields("metric.evaluations[].", _are_measured, "per_class", "per_class_2"),
    **_fields("metric.evaluations[].", TEXT, "reason", "reason_2", "degenerate"),
    "metric.evaluations[].measured": MAPPING,
    "divergence.step!": _is_whole,
    **_fields("divergence.", TEXT, "player", "cause"),
    "dropped.step!": _is_whole,
    **_fields("dropped.", _is_number, "value", "limit"),
    **_fields("error.", TEXT, "type", "message", "traceback"),
    "curves[].step!": _is_whole,
    "diagnostics[].step!": _is_whole,
    "pack.members": _is_whole,
    "checkpoint": MAPPING,
    "checkpoint.step!": _is_whole,
    "checkpoint.member!": TEXT,
}
