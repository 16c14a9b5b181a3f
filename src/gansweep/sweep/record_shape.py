"""Schema of a record: the types of all fields that are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

STATES = ("completed", "diverged", "failed")
LARGEST = 1e300  # a larger integer overflows when it is converted to a float
Check = Callable[[Any], bool]


def check(content: Mapping[str, Any]) -> None:
    """Check that all fields of a record that are read are present and have the right type.

    Raises:
        ValueError: names the wrong field.
    """
    _fields("", content, REQUIRED, OPTIONAL)
    _fields("config.", content["config"], {}, {"trainer": _mapping, "steps": _number, "seed": _number})
    _fields("cell.", content["cell"], {"hash": _text, "overrides": _mapping}, {})
    _fields("time.", content["time"], {}, TIME)
    _entries("time.evaluations", content["time"].get("evaluations"), {"step": _whole, "trained_s": _number})
    for part in ("metric", "metric_2"):
        if content.get(part) is not None:
            _fields(f"{part}.", content[part], {"name": _text}, METRIC)
    metric = content.get("metric")
    if metric is not None:
        _fields("metric.", metric, {"evaluations": _list}, {})
        _entries("metric.evaluations", metric["evaluations"], {"step": _whole, "value": _measured}, EVALUATION)
    if content.get("divergence") is not None:
        _fields("divergence.", content["divergence"], {"step": _whole}, {"player": _text, "cause": _text})
    if content.get("error") is not None:
        _fields("error.", content["error"], {}, {"type": _text, "message": _text, "traceback": _text})
    if content["state"] == "diverged" and content.get("divergence") is None:
        raise ValueError("divergence is missing")
    if content["state"] == "failed" and content.get("error") is None:
        raise ValueError("error is missing")
    for part in ("curves", "diagnostics"):
        _entries(part, content.get(part), {"step": _whole}, rest=_measured_or_more)
    _fields("pack.", content.get("pack") or {}, {}, {"members": _whole})
    check_numbers("", content)


def _fields(where: str, node: Mapping[str, Any], required: Mapping[str, Check], optional: Mapping[str, Check]) -> None:
    for key, fits in required.items():
        if key not in node:
            raise ValueError(f"{where}{key} is missing")
        if not fits(node[key]):
            raise ValueError(f"{where}{key} is {_shown(node[key])}")
    for key, fits in optional.items():
        if node.get(key) is not None and not fits(node[key]):
            raise ValueError(f"{where}{key} is {_shown(node[key])}")


def _entries(
    where: str,
    nodes: Any,
    required: Mapping[str, Check],
    optional: Mapping[str, Check] | None = None,
    rest: Check | None = None,
) -> None:
    for place, node in enumerate(nodes or ()):
        if not isinstance(node, dict):
            raise ValueError(f"{where}[{place}] is {_shown(node)}")
        _fields(f"{where}[{place}].", node, required, optional or {})
        if rest is not None:
            _fields(f"{where}[{place}].", node, dict.fromkeys(node.keys() - required.keys(), rest), {})


def check_numbers(where: str, node: Any) -> None:
    """Raise ValueError for integers anywhere in a record that are too large for a float."""
    if isinstance(node, dict):
        for key, inner in node.items():
            check_numbers(f"{where}.{key}" if where else key, inner)
    elif isinstance(node, list):
        for place, inner in enumerate(node):
            check_numbers(f"{where}[{place}]", inner)
    elif isinstance(node, int) and abs(node) > LARGEST:
        raise ValueError(f"{where} is {_shown(node)}")


def _shown(value: Any) -> str:
    """Return a short text of a value; Python refuses to format integers of thousands of digits."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST:
        return "a whole number that is too large"
    text = repr(value) if not isinstance(value, (dict, list)) else f"a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= LARGEST


def _measured(value: Any) -> bool:
    """Return True for a number or null, and for NaN, which earlier versions wrote."""
    return value is None or _number(value) or (isinstance(value, float) and value != value)


def _measured_or_more(value: Any) -> bool:
    return _measured(value) or isinstance(value, (str, list, dict))


def _whole(value: Any) -> bool:
    return isinstance(value, int) and _number(value)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _mapping(value: Any) -> bool:
    return isinstance(value, dict)


def _list(value: Any) -> bool:
    return isinstance(value, list)


REQUIRED: dict[str, Check] = {
    "state": lambda value: value in STATES if isinstance(value, str) else False,
    "cell": _mapping,
    "config": _mapping,
    "identity": _mapping,
    "time": _mapping,
}
OPTIONAL: dict[str, Check] = {
    "steps": _whole,
    "metric": _mapping,
    "metric_2": _mapping,
    "divergence": _mapping,
    "error": _mapping,
    "curves": _list,
    "diagnostics": _list,
    "seeds": _mapping,
    "versions": _mapping,
    "device": _mapping,
    "pack": _mapping,
}
TIME: dict[str, Check] = {
    "started": _text,
    "finished": _text,
    "wall_s": _number,
    "steps_per_s": _number,
    "eval_s": _number,
    "memory_bytes": _number,
    "evaluations": _list,
}
METRIC: dict[str, Check] = {
    "fingerprint": _mapping,
    "lower_is_better": _flag,
    "floor": _number,
    "untrained": _number,
    "final": _number,
    "final_step": _whole,
    "best": _number,
    "best_step": _whole,
    "best_apart": _number,
}
EVALUATION: dict[str, Check] = {
    "value_2": _number,
    "apart": _number,
    "heard": _number,
    "reason": _text,
    "reason_2": _text,
    "degenerate": _text,
    "measured": _mapping,
}
