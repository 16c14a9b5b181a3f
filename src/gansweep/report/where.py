"""Selection of cells by a condition on their settings, as in `--where "optimizer=adam and lr<1e-2"`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from typing import Any

from gansweep.sweep.cell import Result
from gansweep.sweep.identity import plain
from gansweep.sweep.sweep_keys import UNSAID, is_number, value

FORM = 'expected conditions joined by "and", for example "optimizer=adam and lr<1e-2"'
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def matching(results: Sequence[Result], condition: str) -> list[Result]:
    """Return the cells that meet all conditions of a text.

    A condition is KEY OP VALUE with the operators =, !=, <, <=, > and >=. Several values of = or != are separated by
    commas: `optimizer=adam,sgd`. Numbers are compared as numbers, other values as text.

    Args:
        results: the cells.
        condition: conditions joined by `and`.

    Raises:
        ValueError: the text has another form, a setting does not exist, or no cell meets the conditions.
    """
    chosen = list(results)
    for part in re.split(r"\s+and\s+", condition.strip()):
        key, compare, values = _parsed(condition, part)
        if all(_setting(result, key) == UNSAID and key not in result.cell.overrides for result in results):
            raise ValueError(f"--where {condition}: no cell has a setting {key}")
        chosen = [result for result in chosen if compare(_setting(result, key), values)]
    if not chosen:
        raise ValueError(f"--where {condition}: no cell meets this condition")
    return chosen


def _parsed(condition: str, part: str) -> tuple[str, Callable[[Any, list[str]], bool], list[str]]:
    found = re.fullmatch(r"\s*([^=<>!\s]+)\s*(!=|<=|>=|=|<|>)\s*(\S.*?)\s*", part)
    if found is None:
        raise ValueError(f"--where {condition}: {FORM}")
    key, sign, text = found.groups()
    values = [value.strip() for value in text.split(",")] if sign in ("=", "!=") else [text]
    if sign not in ("=", "!=") and _number(text) is None:
        raise ValueError(f"--where {condition}: {sign} {text}: expected a number")

    def meets(setting: Any, values: list[str]) -> bool:
        if sign in ("=", "!="):
            return any(_equal(setting, value) for value in values) == (sign == "=")
        return is_number(setting) and COMPARE[sign](setting, _number(values[0]))

    return key, meets, values


def _setting(result: Result, key: str) -> Any:
    return value(result.cell, key)


def _equal(setting: Any, text: str) -> bool:
    amount = _number(text)
    return setting == amount if is_number(setting) and amount is not None else plain(setting) == text


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
