"""Structural check of protocols that does not evaluate properties."""

from __future__ import annotations

import inspect
from typing import Any

_ABSENT = object()


def keeps(value: Any, kind: type) -> bool:
    """Return True if `value` is an instance of a class, or has all attributes of a protocol.

    Before Python 3.12 `isinstance` evaluates the properties of the protocol, which would load a data set.
    """
    if not getattr(kind, "_is_protocol", False):
        return isinstance(value, kind)
    names = {name for name in (*vars(kind), *getattr(kind, "__annotations__", {})) if _is_promise(name)}
    return all(inspect.getattr_static(value, name, _ABSENT) is not _ABSENT for name in names)


def _is_promise(name: str) -> bool:
    return not name.startswith("_") or name == "__call__"
