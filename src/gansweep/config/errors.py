"""Errors of a configuration and their messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any


class BadConfig(ValueError):
    """Raised for an invalid configuration."""

    def __init__(self, problems: Iterable[SettingError]) -> None:
        self._problems = list(dict.fromkeys(problems))
        super().__init__("\n".join(str(problem) for problem in self._problems))

    @property
    def problems(self) -> list[SettingError]:
        """All errors."""
        return self._problems

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems,)


class SettingError(BadConfig):
    """One wrong setting; its text is made where it is printed.

    >>> print(SettingError("lr", -1, "expected a number above 0"))
    lr=-1: expected a number above 0

    Args:
        name: dotted key, e.g. `optimizer.betas`; empty if the error concerns several settings.
        value: the given value; None if it is not part of the message.
        expected: what is wrong, and the expected values.
    """

    def __init__(self, name: str, value: object, expected: str) -> None:
        self.name, self.value, self.expected = name, value, expected
        ValueError.__init__(self, name, value, expected)

    @property
    def problems(self) -> list[SettingError]:
        """This error."""
        return [self]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, self.value, self.expected)

    @classmethod
    def of(cls, name: str, error: BaseException) -> SettingError:
        """Prefix the message of an object about its own argument, `argument=value: ...`, with a dotted key.

        >>> str(SettingError.of("schedule", ValueError("gamma=-1: expected a number above 0")))
        'schedule.gamma=-1: expected a number above 0'
        """
        text = str(error) or type(error).__name__
        argument, equals, rest = text.partition("=")
        if not equals or not all(part.isidentifier() for part in argument.split(".")):
            return cls(name, None, text)
        is_same = argument == name.rpartition(".")[2]
        value, _, expected = rest.partition(": ")
        return cls(name if is_same else f"{name}.{argument}" if name else argument, value, expected)

    def __str__(self) -> str:
        setting = self.name if self.value is None else f"{self.name}={self.value}"
        return ": ".join(filter(None, (setting, self.expected)))

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and str(other) == str(self)

    def __hash__(self) -> int:
        return hash(str(self))


class UnknownKey(SettingError):
    """A key that does not exist in the composed configuration."""


def unknown_key(name: str, accepted: Sequence[str], given: str = "", others: Sequence[str] = ()) -> SettingError:
    """Return the problem of an unknown key, with the accepted keys and the most similar ones.

    >>> str(unknown_key("optimizer.betaz", ["betas", "eps"]))
    'optimizer.betaz: unknown key; did you mean optimizer.betas? Accepted here: betas, eps'

    Args:
        name: the unknown dotted key.
        accepted: last parts of the keys that are accepted at this place.
        given: the value given for the key.
        others: dotted keys at other places that may be suggested.
    """
    parent, _, last = name.rpartition(".")
    near = [f"{parent}.{key}" if parent else key for key in get_close_matches(last, accepted, 2, 0.6)]
    near = (
        near or [key for key in others if key.rpartition(".")[2] == last][:2] or get_close_matches(name, others, 1, 0.8)
    )
    hint = f"; did you mean {' or '.join(near)}?" if near else "."
    accepted_here = ", ".join(sorted(accepted)) or "none"
    return SettingError(name, given or None, f"unknown key{hint} Accepted here: {accepted_here}")
