"""Construction of the chosen loggers, of which there can be several."""

from __future__ import annotations

from typing import Any

from gansweep.config.errors import SettingError
from gansweep.config.instantiate import Broken, Constructor
from gansweep.config.typed import keeps, wrong_kind
from gansweep.interfaces import LoggerSettings
from gansweep.training.tensorboard import TensorBoard


def chosen_loggers(config: dict[str, Any], make: Constructor) -> tuple[LoggerSettings, ...] | Broken:
    """Return the chosen loggers, which are below their names; TensorBoard for configurations of earlier versions."""
    nodes = config.get("logger")
    if nodes is None:
        return (TensorBoard(),)
    if not isinstance(nodes, dict) or not all(isinstance(node, dict) for node in nodes.values()):
        make.problems.append(SettingError("logger", nodes, "expected a mapping from names to nodes with a _target_"))
        return Broken()
    loggers = {name: make(node, f"logger.{name}") for name, node in nodes.items()}
    wrong = [
        SettingError(f"logger.{name}._target_", nodes[name]["_target_"], wrong_kind(logger, LoggerSettings))
        for name, logger in loggers.items()
        if not isinstance(logger, Broken) and not keeps(logger, LoggerSettings)
    ]
    make.problems += wrong
    broken = wrong or any(isinstance(logger, Broken) for logger in loggers.values())
    return Broken() if broken else tuple(loggers.values())
