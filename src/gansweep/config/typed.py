"""Conversion of values from YAML and the command line to annotated types."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin

from gansweep.config.protocol import keeps

LARGEST = 2**63 - 1  # largest integer of torch and of JSON readers
WORDS = {int: "a whole number", float: "a number", str: "text", bool: "true or false", type(None): "null"}


class Misfit(ValueError):
    """Raised for a value of the wrong type; the message describes the expected type."""


def fit(value: Any, annotation: Any) -> Any:
    """Return `value` converted to the annotated type; only numbers are converted.

    A whole number may be written as 1e3, and an integer is accepted for a float. NaN and infinity are rejected: no
    setting uses them, and JSON records can't contain them.

    >>> fit(1000.0, int), fit(1, float), fit([1, 0.5], tuple[float, float])
    (1000, 1.0, [1.0, 0.5])

    Raises:
        Misfit: the value does not have the type.
    """
    origin, inside = get_origin(annotation), get_args(annotation)
    if annotation is None:
        annotation = type(None)
    if annotation is Any or isinstance(annotation, str):
        _check_finite(value)
        return value
    if origin in (Union, types.UnionType):
        return _any_of(value, annotation, inside)
    if origin is Literal:
        if value in inside and not isinstance(value, bool):
            return value
        raise Misfit(f"expected one of {', '.join(map(str, inside))}")
    if annotation in WORDS:
        return _scalar(value, annotation)
    kind = origin or annotation
    if not isinstance(kind, type):
        return value
    if kind is tuple and inside and inside[-1] is not Ellipsis:
        return _fixed(value, inside)
    if kind not in (str, bytes) and issubclass(kind, Sequence):
        if not isinstance(value, (list, tuple)):
            raise Misfit(f"expected {describe(annotation)}")
        return _each(value, annotation, inside[0] if inside else Any)
    if issubclass(kind, Mapping):
        if not isinstance(value, Mapping):
            raise Misfit(f"expected {describe(annotation)}")
        item = inside[1] if inside else Any
        return {key: fit(part, item) for key, part in value.items()}
    if keeps(value, kind):
        return value
    raise Misfit(f"expected {describe(annotation)}")


def describe(annotation: Any) -> str:
    """Return a description of a type for messages.

    >>> describe(float | None), describe(tuple[float, float])
    ('a number or null', 'a list of 2: a number, a number')
    """
    origin, inside = get_origin(annotation), get_args(annotation)
    if annotation is None:
        return "null"
    if annotation in WORDS:
        return WORDS[annotation]
    if origin in (Union, types.UnionType):
        return " or ".join(describe(part) for part in inside)
    if origin is Literal:
        return f"one of {', '.join(map(str, inside))}"
    if origin is tuple and inside[-1] is not Ellipsis:
        return f"a list of {len(inside)}: {', '.join(describe(part) for part in inside)}"
    kind = origin or annotation
    if isinstance(kind, type) and issubclass(kind, Sequence):
        return f"a list, each {describe(inside[0])}" if inside else "a list"
    if isinstance(kind, type) and issubclass(kind, Mapping):
        return "a mapping"
    return f"a {getattr(kind, '__name__', kind)}"


def _scalar(value: Any, kind: type) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and kind in (int, float):
        return _number(value, kind)
    if type(value) is kind:
        return value
    raise Misfit(f"expected {WORDS[kind]}")


def _number(value: float, kind: type) -> float:
    _check_finite(value)
    if kind is float:
        return float(value)
    if value != int(value):
        raise Misfit(f"expected {WORDS[int]}")
    if abs(value) > LARGEST:
        raise Misfit(f"expected a whole number, at most {LARGEST}")
    return int(value)


def _check_finite(value: Any) -> None:
    """Raise Misfit if a number in lists and mappings is NaN, infinite or too large for a float."""
    if isinstance(value, (list, tuple)):
        for part in value:
            _check_finite(part)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            try:
                _check_finite(part)
            except Misfit as error:
                raise Misfit(f"{error} for {key}") from None
    elif isinstance(value, (int, float)):
        try:
            finite = math.isfinite(value)
        except OverflowError:  # an integer of more than 308 digits
            finite = False
        if not finite:
            raise Misfit("expected a finite number")


def _any_of(value: Any, annotation: Any, kinds: Sequence[Any]) -> Any:
    exact = [kind for kind in kinds if type(value) is kind]
    for kind in (*exact, *kinds):
        try:
            return fit(value, kind)
        except Misfit:
            continue
    raise Misfit(f"expected {describe(annotation)}")


def _fixed(value: Any, kinds: Sequence[Any]) -> list:
    if not isinstance(value, (list, tuple)) or len(value) != len(kinds):
        raise Misfit(f"expected a list of {len(kinds)}: {', '.join(describe(kind) for kind in kinds)}")
    return [fit(part, kind) for part, kind in zip(value, kinds, strict=True)]


def _each(value: Sequence[Any], annotation: Any, kind: Any) -> list:
    try:
        return [fit(part, kind) for part in value]
    except Misfit:
        raise Misfit(f"expected {describe(annotation)}") from None
