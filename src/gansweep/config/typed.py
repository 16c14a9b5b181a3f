"""Types of settings: signatures of constructors, conversion of values to annotated types, checks of protocols."""

from __future__ import annotations

import inspect
import math
import re
import types
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

LARGEST = 2**63 - 1  # largest integer of torch and of JSON readers
WORDS = {int: "a whole number", float: "a number", str: "text", bool: "true or false", type(None): "null"}
_ABSENT = object()


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
    if conforms(value, kind):
        return value
    lacking = "" if isinstance(value, (str, int, float, list, Mapping, type(None))) else lacks(value, kind)
    raise Misfit("; ".join(filter(None, (f"expected {describe(annotation)}", lacking))))


def describe(annotation: Any) -> str:
    """Return a description of a type for messages.

    >>> describe(float | None), describe(tuple[float, float]), describe(Literal["auto"] | None)
    ('a number or null', 'a list of 2: a number, a number', 'auto or null')
    """
    origin, inside = get_origin(annotation), get_args(annotation)
    if annotation is None:
        return "null"
    if annotation in WORDS:
        return WORDS[annotation]
    if origin in (Union, types.UnionType):
        return " or ".join(describe(part) for part in inside)
    if origin is Literal:
        return f"{'one of ' if len(inside) > 1 else ''}{', '.join(map(str, inside))}"
    if origin is tuple and inside[-1] is not Ellipsis:
        return f"a list of {len(inside)}: {', '.join(describe(part) for part in inside)}"
    kind = origin or annotation
    if isinstance(kind, type) and issubclass(kind, Sequence):
        return f"a list, each {describe(inside[0])}" if inside else "a list"
    if isinstance(kind, type) and issubclass(kind, Mapping):
        return "a mapping"
    return article(str(getattr(kind, "__name__", kind)))


def article(name: str) -> str:
    """Return the name of a class with its article.

    >>> article("Model"), article("UpdateRule")
    ('a Model', 'an UpdateRule')
    """
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"


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
    not_finite = f"; {value} is not finite" if isinstance(value, float) and not math.isfinite(value) else ""
    raise Misfit(f"expected {describe(annotation)}{not_finite}")


def _fixed(value: Any, kinds: Sequence[Any]) -> list:
    if not isinstance(value, (list, tuple)) or len(value) != len(kinds):
        raise Misfit(f"expected a list of {len(kinds)}: {', '.join(describe(kind) for kind in kinds)}")
    return [fit(part, kind) for part, kind in zip(value, kinds, strict=True)]


def _each(value: Sequence[Any], annotation: Any, kind: Any) -> list:
    try:
        return [fit(part, kind) for part in value]
    except Misfit:
        raise Misfit(f"expected {describe(annotation)}") from None


@dataclass(frozen=True)
class Signature:
    """Keyword arguments of a constructor.

    Args:
        types: annotation by keyword, Any if there is no resolvable annotation.
        required: keywords without a default.
        open: True if the constructor has `**kwargs`.
    """

    types: Mapping[str, Any]
    required: frozenset[str]
    open: bool


@cache
def signature(cls: type) -> Signature:
    """Return the signature of the constructor of `cls`."""
    parameters = inspect.signature(cls).parameters.values()
    hints = _hints(cls)
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return Signature(
        types={p.name: hints.get(p.name, Any) for p in named},
        required=frozenset(p.name for p in named if p.default is p.empty),
        open=any(p.kind is p.VAR_KEYWORD for p in parameters),
    )


def _hints(cls: type) -> dict[str, Any]:
    """Return the resolved annotations of fields and constructor; names imported under TYPE_CHECKING are skipped.

    The constructor of a dataclass with inherited fields has annotations that resolve only in the module of the base
    class, so fields and constructor are resolved separately.
    """
    hints: dict[str, Any] = {}
    for annotated in (cls, cls.__init__):
        with suppress(NameError):
            hints |= get_type_hints(annotated)
    return hints


def conforms(value: Any, kind: type) -> bool:
    """Return True if `value` is an instance of a class, or has all attributes of a protocol.

    Before Python 3.12 `isinstance` evaluates the properties of the protocol, which would load a data set.
    """
    if not getattr(kind, "_is_protocol", False):
        return isinstance(value, kind)
    return not _absent(value, kind)


def wrong_kind(value: Any, kind: type) -> str:
    """Return the message for an object that is not of a kind, with what it lacks.

    >>> from gansweep.interfaces import UpdateRule
    >>> print(wrong_kind(1, UpdateRule).partition(" (")[0])
    is not an UpdateRule: int has no class attribute elementwise
    """
    return ": ".join(filter(None, (f"is not {article(kind.__name__)}", lacks(value, kind))))


def lacks(value: Any, kind: type) -> str:
    """Return a description of what an object lacks to be of a kind, "" for a class that is not a protocol.

    >>> from gansweep.interfaces import Schedule
    >>> lacks(len, Schedule)
    'len has no method values(total_steps), no method check(total_steps)'
    """
    if not getattr(kind, "_is_protocol", False):
        return ""
    parts = [_described(kind, name) for name in _absent(value, kind)]
    name = value.__name__ if inspect.isroutine(value) else type(value).__name__
    return f"{name} has {', '.join(f'no {part}' for part in parts)}" if parts else ""


def _absent(value: Any, kind: type) -> list[str]:
    """Return the names that a protocol has and an object does not have."""
    names = dict.fromkeys(name for name in (*getattr(kind, "__annotations__", {}), *vars(kind)) if _is_promise(name))
    return [name for name in names if inspect.getattr_static(value, name, _ABSENT) is _ABSENT]


def _described(kind: type, name: str) -> str:
    """Return `method f(x)` or `attribute a (its type; its meaning)` for a name of a protocol."""
    member, annotation = vars(kind).get(name), _hints(kind).get(name)
    if inspect.isfunction(member):
        return f"method {name}({', '.join(list(inspect.signature(member).parameters)[1:])})"
    if isinstance(member, property):
        return f"attribute {name} ({(member.__doc__ or name).partition('.')[0]})"
    meaning = re.search(rf"`{name}`: ([^.]+)", kind.__doc__ or "")
    what, kinds = " ".join(meaning[1].split()) if meaning else "", get_args(annotation)
    expected = [f"True if {what}"] if what and kinds == (bool,) else [*map(describe, kinds), what]
    return f"class attribute {name} (expected: {'; '.join(filter(None, expected))})"


def _is_promise(name: str) -> bool:
    return not name.startswith("_") or name == "__call__"
