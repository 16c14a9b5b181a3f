"""Which classes a configuration may name."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from importlib import import_module

ALWAYS = ("gansweep", "torch.optim")


class NotAllowed(ValueError):
    """A `_target_` that is not a class of an allowed module."""


def locate(target: object, allow: Sequence[str] = ()) -> type:
    """Import the class that `target` names.

    It must be written as module and class, and be defined in an allowed module itself: what a
    module merely imports, say `os`, can't be reached through it. Nothing is imported before
    the path is known to be allowed.

    >>> locate("os.system")
    Traceback (most recent call last):
    gansweep.config.allowed.NotAllowed: os.system is not in an allowed module (gansweep, torch.optim); ...

    Args:
        target: dotted path of a class.
        allow: further modules that the user trusts.

    Raises:
        NotAllowed: it is not there, no class, or in no allowed module.
    """
    if not isinstance(target, str) or "." not in target:
        raise NotAllowed(f"_target_={target}: expected the dotted path of a class")
    modules = (*ALWAYS, *allow)
    if not _within(target, modules):
        raise NotAllowed(
            f"{target} is not in an allowed module ({', '.join(modules)}); "
            f"if you trust it, add allow=[{target.partition('.')[0]}]"
        )
    path, _, name = target.rpartition(".")
    try:
        found = getattr(import_module(path), name)
    except (ImportError, AttributeError) as error:
        raise NotAllowed(f"{target} can't be imported: {error}") from error
    if not inspect.isclass(found) or not _within(f"{found.__module__}.", modules):
        raise NotAllowed(f"{target} is not a class of an allowed module ({', '.join(modules)})")
    return found


def _within(path: str, modules: Sequence[str]) -> bool:
    return any(path.startswith(f"{module}.") for module in modules)
