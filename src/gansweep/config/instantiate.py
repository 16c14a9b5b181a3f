"""Instantiate config nodes with a `_target_`, or collect all their errors."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping, Sequence
from importlib import import_module
from typing import Any, get_args, get_origin

from gansweep.code_identity import is_below
from gansweep.config.errors import SettingError, unknown_key
from gansweep.config.typed import Misfit, fit, signature
from gansweep.user_code import Factory, cause_of, exits_raise

MISSING = "???"  # marks a mandatory value in a YAML file
ALWAYS = ("gansweep", "torch.optim")  # modules whose classes a configuration may name
# Exceptions of a constructor that concern its arguments.
EXPECTED = (ValueError, TypeError, ArithmeticError, ImportError, OSError)
LATER = ("sample_shape", "latent_dim")  # arguments that the user of a factory may add


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

    A class that imports others by name lists the arguments with their dotted paths in `CLASS_NAMES`; these classes
    must be in an allowed module, too.

    Args:
        allow: modules that are allowed in addition to gansweep and torch.optim.
    """

    def __init__(self, allow: Sequence[str] = ()) -> None:
        self.allow = tuple(allow)
        self.problems: list[SettingError] = []

    def __call__(self, node: dict[str, Any], where: str) -> Any:
        """Return the object of a node, or Broken if the node has problems."""
        made = self.factory(node, where)
        if isinstance(made, Broken):
            return made
        cls, arguments = made.cls, dict(made.arguments)
        try:
            with exits_raise():
                return cls(**arguments)
        except EXPECTED as error:
            self.problems += _all_problems(cls, arguments, where, error)
        except (Exception, SystemExit) as error:
            cause = f"{node['_target_']} can't be instantiated: {cause_of(error, (*ALWAYS, *self.allow))}"
            self.problems.append(SettingError(where, None, cause))
        return Broken()

    def factory(self, node: dict[str, Any], where: str, *, deferred: bool = False) -> Factory | Broken:
        """Return the class of a node with its arguments, or Broken if the node has problems.

        If `deferred`, nodes among the arguments become factories too, and arguments in LATER may be missing.
        """
        before = len(self.problems)
        if node.get("_target_") == MISSING:
            self.problems.append(SettingError(where, None, "must be given"))
            return Broken()
        try:
            cls = locate(node.get("_target_"), self.allow)
        except NotAllowed as error:
            self.problems.append(SettingError(f"{where}._target_", None, str(error)))
            return Broken()
        arguments = self.arguments(cls, node, where, deferred=deferred)
        return Broken() if len(self.problems) > before else Factory(cls, arguments)

    def arguments(self, cls: type, node: dict[str, Any], where: str, *, deferred: bool = False) -> dict[str, Any]:
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
                annotation, names_class = accepts.types.get(key, Any), key in getattr(cls, "CLASS_NAMES", ())
                is_deferred = deferred or _is_factory(annotation)
                arguments[key] = self._argument(node, key, annotation, path, names_class, is_deferred)
        for key in sorted(accepts.required - arguments.keys() - set(LATER if deferred else ())):
            path = f"{where}.{shown.get(key, key)}" if where else key
            self.problems.append(SettingError(path, None, "must be given"))
        return arguments

    def _argument(
        self, node: dict[str, Any], key: str, annotation: Any, path: str, names_class: bool, deferred: bool
    ) -> Any:
        """Return an argument.

        Args:
            node: the node that contains it.
            key: its name.
            annotation: its type.
            path: its dotted key.
            names_class: it is the dotted path of a class, which has to be allowed.
            deferred: it contains factories in the place of objects.
        """
        before = len(self.problems)
        if _is_factory(annotation) and isinstance(node[key], str):
            node[key] = {"_target_": node[key]}
        made = self._value(node[key], path, deferred)
        if len(self.problems) > before:
            return Broken()
        if isinstance(made, Factory):
            return made
        if _is_factory(annotation) and made is not None:
            wrong = f"expected the dotted path of a class; with arguments: {path}._target_=my_nets.Mine +{path}.width=8"
            self.problems.append(SettingError(path, _show(node[key]), wrong))
            return Broken()
        try:
            fitted = fit(made, annotation)
            if names_class:
                check_allowed(fitted, self.allow)
        except (Misfit, NotAllowed) as error:
            self.problems.append(SettingError(path, _show(node[key]), str(error)))
            return Broken()
        if not _holds_target(node[key]):
            node[key] = fitted
        return fitted if get_origin(annotation) is list or annotation is list else _tuples(fitted)

    def _value(self, value: Any, path: str, deferred: bool) -> Any:
        if isinstance(value, dict):
            if "_target_" in value:
                return self.factory(value, path, deferred=True) if deferred else self(value, path)
            return {key: self._value(part, f"{path}.{key}", deferred) for key, part in value.items()}
        if isinstance(value, list):
            return [self._value(part, f"{path}[{n}]", deferred) for n, part in enumerate(value)]
        return value


def _is_factory(annotation: Any) -> bool:
    """Return whether a type is `Factory` or `Factory | None`."""
    return Factory in (annotation, *get_args(annotation))


def _without_aliases(node: dict[str, Any], aliases: Mapping[str, str], where: str) -> list[SettingError]:
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
            problems.append(
                SettingError(f"{where}.{name}", None, f"is another name of {where}.{alias}; expected one of them")
            )
    return problems


def _all_problems(cls: type, arguments: dict[str, Any], where: str, error: Exception) -> list[SettingError]:
    """Return all problems of a constructor that raises only the first, by retrying without the reported arguments.

    An `ArgumentConflict` with a removed argument is dropped, since the removal may be its cause.
    """
    required, left, removed = signature(cls).required, dict(arguments), set[str]()
    current: Exception | None = error
    problems = []
    while current is not None and removed.isdisjoint(getattr(current, "arguments", ())):
        problems.append(SettingError.of(where, current))
        key = SettingError.of("", current).name
        if key not in left or key in required:
            break
        removed.add(key)
        del left[key]
        current = None
        try:
            with exits_raise():
                cls(**left)
        except ValueError as another:
            current = another
        except (Exception, SystemExit):  # the constructor of the user may raise anything
            break
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


class NotAllowed(ValueError):
    """Raised for a `_target_` that is not a class of an allowed module."""


def locate(target: object, allow: Sequence[str] = ()) -> type:
    """Import and return the class at the dotted path `target`.

    The class must be defined in an allowed module. Names that an allowed module only imports, such as `os`, are
    rejected. The path is checked before anything is imported.

    >>> locate("os.system")
    Traceback (most recent call last):
    gansweep.config.instantiate.NotAllowed: os.system is not in an allowed module (gansweep, torch.optim); ...

    Args:
        target: dotted path of a class.
        allow: further modules that the user trusts.

    Raises:
        NotAllowed: the path does not exist, is not a class, or is not in an allowed module.
    """
    if not isinstance(target, str) or "." not in target:
        raise NotAllowed(f"_target_={target}: expected the dotted path of a class")
    check_allowed(target, allow)
    modules = (*ALWAYS, *allow)
    path, _, name = target.rpartition(".")
    try:
        with exits_raise():
            cls = getattr(import_module(path), name)
    except (Exception, SystemExit) as error:  # a module may raise anything when it is imported
        raise NotAllowed(f"{target} can't be imported: {cause_of(error, modules)}") from error
    if not inspect.isclass(cls) or not is_below(f"{cls.__module__}.", modules):
        raise NotAllowed(f"{target} is not a class of an allowed module ({', '.join(modules)})")
    return cls


def check_allowed(target: str, allow: Sequence[str] = ()) -> None:
    """Raise NotAllowed if a dotted path is not in an allowed module; nothing is imported."""
    modules = (*ALWAYS, *allow)
    if not is_below(target, modules):
        raise NotAllowed(
            f"{target} is not in an allowed module ({', '.join(modules)}); "
            f"if you trust it, add allow=[{target.partition('.')[0]}]"
        )


def is_torch_optimizer(target: object, allow: Collection[str]) -> bool:
    """Return whether a `_target_` is an optimizer class of torch or of an allowed package."""
    from torch.optim import Optimizer

    try:
        return issubclass(locate(target, tuple(allow)), Optimizer)
    except NotAllowed:
        return str(target).startswith("torch.optim.")
