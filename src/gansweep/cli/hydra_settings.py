"""Checks of Hydra's own settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from gansweep.config.errors import BadConfig, SettingError

EXPECTED_PLACES = (
    "can't be changed: runs are written to outputs/<sweep>/<cell>, Hydra's files to .hydra; "
    "expected name=... or hydra.sweep.dir=..."
)
# Settings of Hydra that determine the directory of a run, with the values of conf/config.yaml and of Hydra.
PLACES = {
    ("run", "dir"): "outputs/${gansweep.sweep:${name},${hydra.overrides.task}}/${gansweep.cell:}",
    ("sweep", "subdir"): "${gansweep.cell:}",
    ("", "output_subdir"): ".hydra",
}
LEVELS = ("CRITICAL", "FATAL", "ERROR", "WARNING", "WARN", "INFO", "DEBUG", "NOTSET")


def check_hydra_settings(master: DictConfig, here: bool) -> None:
    """Refuse settings of Hydra that do not work with several cells in one process, or that move their directories.

    Values are compared with conf/config.yaml, so those of an experiment are found too.

    Raises:
        BadConfig: with all problems.
    """
    problems = list(_unsupported(OmegaConf.to_container(master.hydra, resolve=False), here))
    if problems:
        raise BadConfig(problems)


def _unsupported(node: Any, here: bool) -> Iterator[SettingError]:
    if node["job"]["chdir"]:
        expected = "not supported, because the cells of a process share its working directory"
        yield SettingError("hydra.job.chdir", "true", expected)
    for (group, key), default in PLACES.items():
        value = node[group][key] if group else node[key]
        if value != default:
            where = ".".join(filter(None, ("hydra", group, key)))
            yield SettingError(where, "null" if value is None else value, EXPECTED_PLACES)
    if not str(node["sweep"]["dir"]).strip():
        yield SettingError("hydra.sweep.dir", "", "expected a directory")
    size = node["sweeper"].get("max_batch_size")
    if size is not None and (type(size) is not int or size < 1):
        yield SettingError("hydra.sweeper.max_batch_size", size, "expected a whole number, 1 or above, or null")
    if here and node["job"]["env_set"]:
        expected = "not supported, because cells share a process; set it in the shell before the command"
        yield SettingError("hydra.job.env_set", ", ".join(node["job"]["env_set"]), expected)


def wrong_settings(config: DictConfig) -> Iterator[SettingError]:
    """List what is wrong with `hydra.verbose` and with the logging configurations; interpolations are skipped."""
    node: Any = OmegaConf.to_container(config.hydra, resolve=False)
    verbose = node["verbose"]
    names = verbose if isinstance(verbose, list) else [verbose]
    if not isinstance(verbose, bool) and not all(isinstance(name, str) for name in names):
        yield SettingError("hydra.verbose", verbose, "expected true, false, or names of loggers")
    for name in ("hydra_logging", "job_logging"):
        if isinstance(node[name], Mapping):
            yield from _wrong_logging(f"hydra.{name}", node[name])


def _wrong_logging(where: str, node: Mapping[str, Any]) -> Iterator[SettingError]:
    if node.get("version") != 1:
        yield SettingError(f"{where}.version", node.get("version"), "expected 1")
    handlers, formatters = (_mapping(node.get(name)) for name in ("handlers", "formatters"))
    loggers = {f"loggers.{name}": inner for name, inner in _mapping(node.get("loggers")).items()}
    for name, inner in {"root": node.get("root"), **loggers}.items():
        yield from _wrong_level(f"{where}.{name}", _mapping(inner))
        chosen = _mapping(inner).get("handlers") or []
        if not isinstance(chosen, list) or not set(map(str, chosen)) <= handlers.keys():
            yield SettingError(
                f"{where}.{name}.handlers", chosen, f"expected a list of {', '.join(handlers) or 'none'}"
            )
    for name, inner in handlers.items():
        yield from _wrong_level(f"{where}.handlers.{name}", _mapping(inner))
        formatter = _mapping(inner).get("formatter")
        if formatter is not None and str(formatter) not in formatters:
            expected = ", ".join(formatters) or "none"
            yield SettingError(f"{where}.handlers.{name}.formatter", formatter, f"expected {expected}")


def _wrong_level(where: str, node: Mapping[str, Any]) -> Iterator[SettingError]:
    level = node.get("level")
    known = level is None or type(level) is int or level in LEVELS
    if not known and "${" not in str(level):
        yield SettingError(f"{where}.level", level, f"expected one of {', '.join(LEVELS)}")


def _mapping(node: Any) -> Mapping[str, Any]:
    return node if isinstance(node, Mapping) else {}
