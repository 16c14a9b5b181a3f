"""Classes of the user: their deferred construction, and the place where they raised an error."""

from __future__ import annotations

import inspect
import json
import os
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn


@dataclass(frozen=True)
class Factory:
    """A class and its keyword arguments; every call creates a new object.

    A constructor argument with this annotation receives a `_target_` node of the configuration as a factory,
    instead of as an object. Factories among the arguments are called as well.

    >>> Factory(complex, {"real": 1.0})(imag=2.0)
    (1+2j)

    Args:
        cls: the class.
        arguments: its keyword arguments.
    """

    cls: type
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, **further: Any) -> Any:
        """Return a new object; `further` arguments precede those of the factory.

        Raises:
            ValueError: the constructor ends the process, or changes torch's default dtype, which is restored.
        """
        torch = sys.modules.get("torch")
        before = torch.get_default_dtype() if torch else None
        try:
            with exits_raise():
                made = self.cls(**{name: _made(value) for name, value in self.arguments.items()} | further)
        except SystemExit as error:
            raise ValueError(f"{self.name}: the constructor ends the process") from error
        if torch and torch.get_default_dtype() != before:
            torch.set_default_dtype(before)
            raise ValueError(f"{self.name}: the constructor changes torch's default dtype, which other runs share")
        return made

    def __hash__(self) -> int:
        return hash((self.cls, json.dumps(self.arguments, sort_keys=True, default=repr)))

    @property
    def name(self) -> str:
        """Dotted path of the class."""
        return f"{self.cls.__module__}.{self.cls.__qualname__}"

    def accepts(self, name: str) -> bool:
        """Return whether the constructor has an argument with this name that is not given."""
        return name in inspect.signature(self.cls).parameters and name not in self.arguments


@contextmanager
def exits_raise() -> Iterator[None]:
    """Let `os._exit` raise SystemExit in this process, as sys.exit does.

    It would end the process without a message. Child processes that user code forks still end by it. A module that
    imported the function by name, and an exit from C code, are not covered.
    """
    original, here = os._exit, os.getpid()

    def raising(status: int) -> NoReturn:
        if os.getpid() != here:
            original(status)
        raise SystemExit(status)

    os._exit = raising
    try:
        yield
    finally:
        os._exit = original


def _made(value: Any) -> Any:
    if isinstance(value, Factory):
        return value()
    return type(value)(map(_made, value)) if isinstance(value, (list, tuple)) else value


def cause_of(error: BaseException, modules: Sequence[str]) -> str:
    """Return `file:line: Type: message` of an exception.

    The line is that of a syntax error, or the innermost one in the given modules. It is omitted if there is none.

    Args:
        error: the exception.
        modules: dotted names of modules or packages.
    """
    place, text = "", str(error)
    frames = list(traceback.walk_tb(error.__traceback__))[1:]  # the first frame is that of the caller
    inside = [(frame, line) for frame, line in frames if _is_inside(frame.f_globals.get("__name__"), modules)]
    if isinstance(error, SyntaxError) and error.filename:
        place, text = f"{error.filename}:{error.lineno}: ", str(error.msg)
    elif inside:
        frame, line = inside[-1]
        place = f"{frame.f_code.co_filename}:{line}: "
    is_plain = isinstance(error, (ImportError, AttributeError)) and text
    return place + (text if is_plain else ": ".join(filter(None, (type(error).__name__, text))))


def _is_inside(name: Any, modules: Sequence[str]) -> bool:
    return name != __name__ and any(f"{name}.".startswith(f"{module}.") for module in modules)
