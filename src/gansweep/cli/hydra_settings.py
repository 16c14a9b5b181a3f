"""Settings of Hydra itself that it fails on without naming them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from gansweep.config.errors import Problem

LOGGING = ("hydra_logging", "job_logging")
LEVELS = ("CRITICAL", "FATAL", "ERROR", "WARNING", "WARN", "INFO", "DEBUG", "NOTSET")


def wrong_settings(config: DictConfig) -> Iterator[Problem]:
    """List what is wrong with `hydra.verbose` and with the logging configurations.

    Args:
        config: composed, with Hydra's node. Interpolations are not looked at.
    """
    node: Any = OmegaConf.to_container(config.hydra, resolve=False)
    verbose = node["verbose"]
    names = verbose if isinstance(verbose, list) else [verbose]
    if not isinstance(verbose, bool) and not all(isinstance(name, str) for name in names):
        yield Problem("hydra.verbose", f"={verbose}: expected true, false, or names of loggers")
    for name in LOGGING:
        if isinstance(node[name], Mapping):
            yield from _wrong_logging(f"hydra.{name}", node[name])


def _wrong_logging(where: str, node: Mapping[str, Any]) -> Iterator[Problem]:
    if node.get("version") != 1:
        yield Problem(f"{where}.version", f"={node.get('version')}: expected 1")
    handlers, formatters = (_mapping(node.get(name)) for name in ("handlers", "formatters"))
    loggers = {f"loggers.{name}": inner for name, inner in _mapping(node.get("loggers")).items()}
    for name, inner in {"root": node.get("root"), **loggers}.items():
        yield from _wrong_level(f"{where}.{name}", _mapping(inner))
        chosen = _mapping(inner).get("handlers") or []
        if not isinstance(chosen, list) or not set(map(str, chosen)) <= handlers.keys():
            yield Problem(f"{where}.{name}.handlers", f"={chosen}: expected a list of {', '.join(handlers) or 'none'}")
    for name, inner in handlers.items():
        yield from _wrong_level(f"{where}.handlers.{name}", _mapping(inner))
        formatter = _mapping(inner).get("formatter")
        if formatter is not None and str(formatter) not in formatters:
            expected = ", ".join(formatters) or "none"
            yield Problem(f"{where}.handlers.{name}.formatter", f"={formatter}: expected {expected}")


def _wrong_level(where: str, node: Mapping[str, Any]) -> Iterator[Problem]:
    level = node.get("level")
    known = level is None or type(level) is int or level in LEVELS
    if not known and "${" not in str(level):
        yield Problem(f"{where}.level", f"={level}: expected one of {', '.join(LEVELS)}")


def _mapping(node: Any) -> Mapping[str, Any]:
    return node if isinstance(node, Mapping) else {}
