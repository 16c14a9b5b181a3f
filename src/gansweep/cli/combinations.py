"""Cartesian product of the values of a multirun's overrides."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString, Transformer
from hydra.errors import HydraException

from gansweep.config.errors import BadConfig, Problem


def combinations(overrides: Sequence[Override]) -> list[list[str]]:
    """Return the overrides of every job, in the order of Hydra's BasicSweeper.

    That sweeper keeps only the last of several overrides of one key. Hydra merges mappings, so
    `trainer={ema: 0.9} trainer={eval_every: 1}` sets both; mappings are therefore all kept here.

    Raises:
        BadConfig: an override lists no value, or a continuous interval of them.
    """
    kept: list[Override] = []
    problems = []
    for override in overrides:
        if override.is_interval_sweep():
            problems.append(_not_discrete(override))
        _replace(kept, override)
    choices = [list(_values(override, problems)) for override in kept]
    if problems:
        raise BadConfig(problems)
    return [list(job) for job in itertools.product(*choices)]


def _replace(kept: list[Override], override: Override) -> None:
    """Insert an override into `kept`, in the place of an earlier one of the same key where the order allows it."""
    key = override.get_key_element()
    earlier = [n for n, other in enumerate(kept) if other.get_key_element() == key and not _is_mapping(other)]
    if _is_mapping(override) or not earlier:
        kept.append(override)
    elif any(_overlap(override, other) for other in kept[earlier[0] + 1 :]):
        del kept[earlier[0]]
        kept.append(override)
    else:
        kept[earlier[0]] = override


def _overlap(first: Override, second: Override) -> bool:
    """Return whether two overrides may set the same value, so that their order matters."""
    path, other = (f"{override.package or override.key_or_group}." for override in (first, second))
    return path.startswith(other) or other.startswith(path)


def _is_mapping(override: Override) -> bool:
    value = override.value()
    return isinstance(value, Mapping) or any(isinstance(choice, Mapping) for choice in getattr(value, "list", ()))


def _values(override: Override, problems: list[Problem]) -> Iterator[str]:
    """Yield the override once per value; an override with a single value is yielded as typed."""
    key = override.get_key_element()
    if not override.is_sweep_override():
        yield str(override.input_line)
        return
    if override.is_interval_sweep():
        return
    try:
        values = list(override.sweep_iterator(_as_text))
    except (ValueError, HydraException) as error:  # range(0,1,0)
        problems.append(Problem(key, f"={override.get_value_string()}: {error}"))
        return
    if not values:
        problems.append(Problem(key, f"={override.get_value_string()}: lists no value; expected at least one"))
    yield from (f"{key}={value}" for value in values)


def _as_text(value: Any) -> str:
    """Return text that Hydra parses as the same value; the string "3", from str(3), is quoted."""
    text = Transformer.str(value)
    if isinstance(value, str) and OverridesParser.create().parse_override(f"key={text}").value() != value:
        return QuotedString(value, Quote.single).with_quotes()
    return text


def _not_discrete(override: Override) -> Problem:
    text = override.get_value_string()
    message = f"={text}: a grid needs a list of values, such as a,b or range(0,1,0.25); intervals are for Optuna"
    return Problem(override.get_key_element(), message)
