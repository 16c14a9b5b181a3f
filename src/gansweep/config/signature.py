"""Keyword arguments and types of class constructors."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, get_type_hints


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
