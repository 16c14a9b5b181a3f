"""Instantiate config nodes with a `_target_`, or collect all their errors."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, get_origin

from gansweep.config.allowed import NotAllowed, locate
from gansweep.config.errors import Problem, unknown_key
from gansweep.config.signature import signature
from gansweep.config.typed import Misfit, fit

MISSING = "???"  # marks a mandatory value in a YAML file


class Broken:
    """Placeholder for an object that could not be instantiated; the reason is in `Constructor.problems`."""


class Constructor:
    """Instantiates config nodes and collects all problems instead of raising the first.

    Numbers in a node are converted in place to the annotated types of the class, so that 1e3 steps and 1000 steps are
    the same setting.

    >>> make = Constructor()
    >>> make({"_target_": "gansweep.schedules.constant.Constant"}, "schedule")
    Constant()
    >>> make({"_target_": "gansweep.schedules.constant.Constant", "x": 1}, "schedule").__class__.__name__
    'Broken'
    >>> print(*make.problems)
    schedule.x=1: unknown key. Accepted here: none

    Args:
        allow: modules that are allowed in addition to gansweep and torch.optim.
    """

    def __init__(self, allow: Sequence[str] = ()) -> None:
        self.allow = tuple(allow)
        self.problems: list[Problem] = []

    def __call__(self, node: dict[str, Any], where: str) -> Any:
        """Return the object of a node, or Broken if the node has problems."""
        before = len(self.problems)
        try:
            cls = locate(node.get("_target_"), self.allow)
        except NotAllowed as error:
            self.problems.append(Problem(f"{where}._target_", str(error)))
            return Broken()
        arguments = self.arguments(cls, node, where)
        if len(self.problems) > before:
            return Broken()
        try:
            return cls(**arguments)
        except (ValueError, TypeError, ArithmeticError, ImportError, OSError) as error:
            self.problems += _all_said(cls, arguments, where, error)
            return Broken()

    def arguments(self, cls: type, node: dict[str, Any], where: str) -> dict[str, Any]:
        """Return the keyword arguments for the constructor of `cls`, converted to its annotated types."""
        accepts = signature(cls)
        arguments = {}
        aliases: Mapping[str, str] = getattr(cls, "ALIASES", {})
        self.problems += _without_aliases(node, aliases, where)
        shown = {name: alias for alias, name in aliases.items()}
        for key in [key for key in node if key != "_target_"]:
            path = f"{where}.{shown.get(key, key)}" if where else key
            if key not in accepts.types and not accepts.open:
                names = [shown.get(name, name) for name in accepts.types]
                self.problems.append(unknown_key(path, names, _show(node[key])))
            elif node[key] != MISSING:
                arguments[key] = self._argument(node, key, accepts.types.get(key, Any), path)
        for key in sorted(accepts.required - arguments.keys()):
            path = f"{where}.{key}" if where else key
            self.problems.append(Problem(path, "must be given"))
        return arguments

    def _argument(self, node: dict[str, Any], key: str, annotation: Any, path: str) -> Any:
        before = len(self.problems)
        made = self._value(node[key], path)
        if len(self.problems) > before:
            return Broken()
        try:
            fitted = fit(made, annotation)
        except Misfit as error:
            self.problems.append(Problem(path, f"={_show(node[key])}: {error}"))
            return Broken()
        if not _holds_target(node[key]):
            node[key] = fitted
        return fitted if get_origin(annotation) is list or annotation is list else _tuples(fitted)

    def _value(self, value: Any, path: str) -> Any:
        if isinstance(value, dict):
            if "_target_" in value:
                return self(value, path)
            return {key: self._value(part, f"{path}.{key}") for key, part in value.items()}
        if isinstance(value, list):
            return [self._value(part, f"{path}[{n}]") for n, part in enumerate(value)]
        return value


def _without_aliases(node: dict[str, Any], aliases: Mapping[str, str], where: str) -> list[Problem]:
    """Replace aliases in a node, in place, by the names of the class, so that a setting has one name in records.

    The YAML file has a default for the alias and none for the name of the class. If the latter is present, it was given
    by the user.
    """
    problems = []
    for alias, name in aliases.items():
        if alias not in node:
            continue
        value = node.pop(alias)
        if name not in node:
            node[name] = value
        elif isinstance(value, dict) and set(value) != {"_target_"}:
            problems.append(Problem(f"{where}.{name}", f"is another name of {where}.{alias}; expected one of them"))
    return problems


def _all_said(cls: type, arguments: dict[str, Any], where: str, error: Exception) -> list[Problem]:
    """Return all problems of a constructor that raises only the first, by retrying without the reported arguments.

    An error that mentions a removed argument is dropped, since it may be caused by the removal.
    """
    required, left, named = signature(cls).required, dict(arguments), list[str]()
    current: Exception | None = error
    problems = []
    while current is not None and not any(re.search(rf"\b{name}\b", str(current)) for name in named):
        problems.append(Problem.of(where, current))
        key = str(current).partition("=")[0]
        if key not in left or key in required:
            break
        named.append(key)
        del left[key]
        current = None
        try:
            cls(**left)
        except ValueError as another:
            current = another
    return problems


def _holds_target(value: Any) -> bool:
    if isinstance(value, dict):
        return "_target_" in value or any(_holds_target(part) for part in value.values())
    return isinstance(value, list) and any(_holds_target(part) for part in value)


def _tuples(value: Any) -> Any:
    """Convert lists to tuples, so that frozen dataclasses compare equal and are hashable."""
    return tuple(_tuples(part) for part in value) if isinstance(value, list) else value


def _show(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
