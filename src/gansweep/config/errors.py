"""Errors of a configuration and their messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True)
class Problem:
    """One error of a configuration.

    Args:
        where: dotted key, e.g. `optimizer.betas`.
        message: the given value and the expected values.
    """

    where: str
    message: str

    @classmethod
    def of(cls, where: str, error: BaseException) -> Problem:
        """Prefix the message of an object about its own argument with a dotted key.

        >>> str(Problem.of("schedule", ValueError("gamma=-1: expected a number above 0")))
        'schedule.gamma=-1: expected a number above 0'
        """
        text = str(error) or type(error).__name__
        named = re.match(r"[\w.]+(?==)", text)
        if named is None:
            return cls(where, text)
        is_same = named[0] == where.rpartition(".")[2]
        return cls(where if is_same else f"{where}.{named[0]}" if where else named[0], text[named.end() :])

    def __str__(self) -> str:
        if not self.where:
            return self.message
        return f"{self.where}{self.message}" if self.message.startswith("=") else f"{self.where}: {self.message}"


@dataclass(frozen=True)
class UnknownKey(Problem):
    """Error for a key that does not exist in the composed configuration."""


class BadConfig(ValueError):
    """Raised for an invalid configuration.

    Args:
        problems: all errors; duplicates are removed.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(dict.fromkeys(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[BadConfig], tuple[list[Problem]]]:
        return type(self), (self.problems,)


def unknown_key(where: str, accepted: Sequence[str], given: str = "", others: Sequence[str] = ()) -> Problem:
    """Return the problem of an unknown key, with the accepted keys and the most similar ones.

    >>> str(unknown_key("optimizer.betaz", ["betas", "eps"]))
    'optimizer.betaz: unknown key; did you mean optimizer.betas? Accepted here: betas, eps'

    Args:
        where: the unknown dotted key.
        accepted: last parts of the keys that are accepted at this place.
        given: the value given for the key.
        others: dotted keys at other places that may be suggested.
    """
    parent, _, last = where.rpartition(".")
    near = [f"{parent}.{key}" if parent else key for key in get_close_matches(last, accepted, 2, 0.6)]
    near = (
        near
        or [key for key in others if key.rpartition(".")[2] == last][:2]
        or get_close_matches(where, others, 1, 0.8)
    )
    hint = f"; did you mean {' or '.join(near)}?" if near else "."
    value = f"={given}: " if given else ""
    return Problem(where, f"{value}unknown key{hint} Accepted here: {', '.join(sorted(accepted)) or 'none'}")
