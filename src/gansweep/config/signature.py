"""What the constructor of a class accepts."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, get_type_hints


@dataclass(frozen=True)
class Signature:
    """The keywords of a constructor.

    Args:
        types: annotation by keyword, Any where there is none that can be resolved.
        required: those without a default.
        open: any other keyword is accepted too.
    """

    types: Mapping[str, Any]
    required: frozenset[str]
    open: bool


@cache
def signature(cls: type) -> Signature:
    """Read the constructor of `cls`."""
    parameters = inspect.signature(cls).parameters.values()
    hints = _hints(cls)
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return Signature(
        types={p.name: hints.get(p.name, Any) for p in named},
        required=frozenset(p.name for p in named if p.default is p.empty),
        open=any(p.kind is p.VAR_KEYWORD for p in parameters),
    )


def _hints(cls: type) -> dict[str, Any]:
    """Resolve the annotations of fields and constructor; what exists for type checkers alone is left unchecked.

    The constructor of a dataclass that inherits fields names their types as the file of its base does.
    """
    found: dict[str, Any] = {}
    for annotated in (cls, cls.__init__):
        with suppress(NameError):
            found |= get_type_hints(annotated)
    return found
