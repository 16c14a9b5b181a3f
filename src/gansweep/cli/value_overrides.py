"""Apply overrides of values, as opposed to choices of groups, one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError

from gansweep.config.errors import SettingError, UnknownKey, unknown_key
from gansweep.formatting import first_line
from gansweep.sweep.identity import plain


def set_value(config: DictConfig, override: Override, groups: Sequence[str] = ()) -> list[SettingError]:
    """Apply one override to the configuration in place; return its problems.

    The key of a problem includes the `+` or `~` of the override. `groups` are listed with the accepted keys where a key
    of the top level is unknown.
    """
    try:
        ConfigLoaderImpl._apply_overrides_to_config([override], config)
    except (ConfigCompositionException, ValueError, TypeError, IndexError) as error:  # the latter: of keys inside lists
        problem = _problem(config, override, error)
        return [_with_groups(problem, config, groups)] if isinstance(problem, UnknownKey) else [problem]
    return []


def _with_groups(problem: UnknownKey, config: DictConfig, groups: Sequence[str]) -> SettingError:
    """Return the problem of an unknown key of the top level with the groups among the accepted keys."""
    name = problem.name.lstrip("~")
    if "." in name:
        return problem
    value = "" if problem.value is None else str(problem.value)
    group = next((group for group in groups if group.rpartition("@")[2] == name), None)
    if group is not None:
        return UnknownKey(
            problem.name, problem.value, f"no option of this group is chosen; choose one with {group}=..."
        )
    listed = unknown_key(name, list(dict.fromkeys([*map(str, config), *groups])), value, _leaves(config))
    return UnknownKey(problem.name, listed.value, listed.expected)


def flat(value: Mapping[Any, Any], prefix: str) -> dict[str, Any]:
    """Return the leaves of a mapping by dotted key.

    >>> flat({"ema": 0.9, "x": {"y": 1}}, "trainer")
    {'trainer.ema': 0.9, 'trainer.x.y': 1}
    """
    leaves: dict[str, Any] = {}
    for key, inner in value.items():
        path = f"{prefix}.{key}"
        leaves |= flat(inner, path) if isinstance(inner, Mapping) else {path: inner}
    return leaves


def _problem(config: DictConfig, override: Override, error: Exception) -> SettingError:
    """Return the problem of an override that Hydra refused, with the accepted keys."""
    key, text = override.key_or_group, str(override.input_line).partition("=")[2]
    text = override.get_value_element_as_str() if text else ""
    cause = error.__cause__
    if override.is_delete():
        return _not_deleted(config, key, text)
    if override.is_add() and cause is None:
        return SettingError(f"+{key}", text, f"is one of the settings already; write {key}={text}")
    if isinstance(cause, (ConfigKeyError, ConfigAttributeError)):
        value = override.value()
        inner = flat(value, key) if isinstance(value, Mapping) else {}
        absent = next((path for path in inner if _is_absent(config, path)), None)
        return _unknown(config, key, text) if absent is None else _unknown(config, absent, plain(inner[absent]))
    for where, kinds in _of_another_kind(config, key, override.value()):
        return SettingError(where, text if where == key else None, kinds)
    return SettingError(key, text, f"{first_line(cause or error)}")


def _of_another_kind(config: DictConfig, key: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield the keys of lists where a mapping is expected, and the reverse, with what is expected there."""
    parts = key.split(".")
    for length in range(1, len(parts)):
        path = ".".join(parts[:length])
        if isinstance(OmegaConf.select(config, path), ListConfig):
            yield path, f"is a list; expected it as a whole, {path}=[...]"
            return
    node = OmegaConf.select(config, key)
    if isinstance(node, DictConfig) and isinstance(value, list):
        yield key, "expected a mapping, not a list"
    elif isinstance(node, ListConfig) and isinstance(value, Mapping):
        yield key, "expected a list, not a mapping"
    elif isinstance(node, DictConfig) and isinstance(value, Mapping):
        for name, inner in value.items():
            if name in node:
                yield from _of_another_kind(config, f"{key}.{name}", inner)


def _not_deleted(config: DictConfig, key: str, text: str) -> SettingError:
    if _is_absent(config, key):
        return _unknown(config, key, "", prefix="~")
    value = plain(OmegaConf.select(config, key))
    if value == "null":
        return SettingError(f"~{key}", None, "is null already")
    return SettingError(f"~{key}", text, f"its value is {value}; ~{key} deletes any value")


def _is_absent(config: DictConfig, key: str) -> bool:
    parent, _, last = key.rpartition(".")
    node = OmegaConf.select(config, parent) if parent else config
    return not isinstance(node, DictConfig) or last not in node


def _unknown(config: DictConfig, key: str, value: str, prefix: str = "") -> SettingError:
    """Return the problem of an unknown key, with the accepted keys of the deepest existing node."""
    parts, node, depth = key.split("."), config, 0
    while depth < len(parts) - 1 and isinstance(node.get(parts[depth]), DictConfig):
        node, depth = node[parts[depth]], depth + 1
    accepted = [str(name) for name in node if name != "_target_"]
    problem = unknown_key(
        ".".join(parts[: depth + 1]), accepted, value if depth == len(parts) - 1 else "", _leaves(config)
    )
    return UnknownKey(f"{prefix}{problem.name}", problem.value, problem.expected)


def _leaves(config: DictConfig, path: str = "") -> list[str]:
    paths = []
    for key in config:
        name = f"{path}{key}"
        paths.append(name)
        if not OmegaConf.is_interpolation(config, str(key)) and isinstance(config.get(key), DictConfig):
            paths += _leaves(config[key], f"{name}.")
    return paths
