"""Allow-list of the classes that a configuration may instantiate."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from importlib import import_module

ALWAYS = ("gansweep", "torch.optim")


class NotAllowed(ValueError):
    """Raised for a `_target_` that is not a class of an allowed module."""


def locate(target: object, allow: Sequence[str] = ()) -> type:
    """Import and return the class at the dotted path `target`.

    The class must be defined in an allowed module. Names that an allowed module only imports, such as `os`, are
    rejected. The path is checked before anything is imported.

    >>> locate("os.system")
    Traceback (most recent call last):
    gansweep.config.allowed.NotAllowed: os.system is not in an allowed module (gansweep, torch.optim); ...

    Args:
        target: dotted path of a class.
        allow: further modules that the user trusts.

    Raises:
        NotAllowed: the path does not exist, is not a class, or is not in an allowed module.
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
        cls = getattr(import_module(path), name)
    except (ImportError, AttributeError) as error:
        raise NotAllowed(f"{target} can't be imported: {error}") from error
    if not inspect.isclass(cls) or not _within(f"{cls.__module__}.", modules):
        raise NotAllowed(f"{target} is not a class of an allowed module ({', '.join(modules)})")
    return cls


def _within(path: str, modules: Sequence[str]) -> bool:
    return any(path.startswith(f"{module}.") for module in modules)
