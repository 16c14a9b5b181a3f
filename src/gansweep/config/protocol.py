"""Whether an object keeps a protocol, without asking it for anything."""

from __future__ import annotations

import inspect
from typing import Any

_ABSENT = object()


def keeps(value: Any, kind: type) -> bool:
    """Tell whether `value` is of a class, or has all that a protocol names.

    `isinstance` would evaluate the protocol's properties on Python before 3.12, and a data set
    would be read for it.
    """
    if not getattr(kind, "_is_protocol", False):
        return isinstance(value, kind)
    names = {name for name in (*vars(kind), *getattr(kind, "__annotations__", {})) if _is_promise(name)}
    return all(inspect.getattr_static(value, name, _ABSENT) is not _ABSENT for name in names)


def _is_promise(name: str) -> bool:
    return not name.startswith("_") or name == "__call__"
