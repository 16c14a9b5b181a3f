"""Config loader that refuses configurations which would make Hydra run foreign code.

Hydra instantiates the nodes below `hydra.callbacks`, `hydra.launcher` and `hydra.sweeper`, and gives
`hydra.job_logging` and `hydra.hydra_logging` to `logging.config`, which imports names too. A YAML file from
an untrusted source can set all of these, and `allow`. Hydra's loader returns every configuration before it is used,
so the check is made there.
"""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Iterator, Sequence
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import ConfigRepository
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.default_element import InputDefault
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.experimental.callback import Callback
from hydra.plugins.config_source import ConfigResult
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import RunMode
from omegaconf import Container, DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from gansweep.cli.hydra_settings import wrong_settings
from gansweep.config.errors import BadConfig, SettingError
from gansweep.config.instantiate import NotAllowed, locate

# The classes of conf/config.yaml. They are compared as text, so --help does not import them.
OWN = {
    "hydra.launcher._target_": "hydra_plugins.gansweep.local_launcher.LocalLauncher",
    "hydra.sweeper._target_": "hydra_plugins.gansweep.grid_sweeper.GridSweeper",
}
PACKAGES = ("gansweep", "hydra", "hydra_plugins")
PLUGIN_PACKAGES = ("hydra._internal.core_plugins", "hydra_plugins")
PLUGINS = (
    (r"hydra\.callbacks\.[^.]+\._target_", Callback, "callback", PACKAGES),
    (r"hydra\.launcher\._target_", Launcher, "launcher", PLUGIN_PACKAGES),
    (r"hydra\.sweeper\._target_", Sweeper, "sweeper", PLUGIN_PACKAGES),
)
SAMPLER_PLACE, SAMPLER = r"hydra\.sweeper\.sampler\.(.+\.)?_target_", r"optuna\.samplers\.\w+"
SECTIONS = ("callbacks", "launcher", "sweeper", "job_logging", "hydra_logging")  # nodes that Hydra instantiates
LOGGING = ("hydra.job_logging.", "hydra.hydra_logging.")
LOGGING_CLASSES = (
    *("logging.StreamHandler", "logging.FileHandler", "logging.NullHandler", "logging.Formatter"),
    *("logging.handlers.RotatingFileHandler", "logging.handlers.TimedRotatingFileHandler"),
    *("logging.handlers.WatchedFileHandler", "colorlog.ColoredFormatter"),
)
STREAMS = ("ext://sys.stdout", "ext://sys.stderr")
# Parameters of launchers, sweepers and jobs that are shell commands, names of code, or environment variables. Optuna
# unpickles the state of some samplers from its storage.
COMMANDS = re.compile(
    r"hydra\.(launcher|sweeper)\.(.*[._])?"
    r"(setup|python|srun_args|additional_parameters|runtime_env|commands|hook|custom_search_space|storage)"
    r"|hydra\.job\.env_set"
)
# Hydra sets these when a job begins; their values do not come from a file.
OF_THE_JOB = ("hydra.runtime.output_dir", "hydra.job.id", "hydra.job.num")


class Repository(ConfigRepository):
    """Hydra's YAML files, each parsed once, in which `schedule: coopnets/exp_1` chooses an option of `schedule`.

    Hydra 1.4 reads it as the option `exp_1` of a group `schedule/coopnets`, which an override can't choose. Hydra
    copies its repository for every composition; copies share the parsed files.
    """

    def initialize_sources(self, config_search_path: ConfigSearchPath) -> None:
        """Search other directories."""
        super().initialize_sources(config_search_path)
        self._parsed = dict[str, ConfigResult | None]()

    def load_config(self, config_path: str) -> ConfigResult | None:
        """Return a file of the first source that has it, or None; compositions modify what they receive."""
        if config_path not in self._parsed:
            self._parsed[config_path] = super().load_config(config_path)
        return copy.deepcopy(self._parsed[config_path])

    def __deepcopy__(self, memo: dict[int, Any]) -> Repository:
        return copy.copy(self)

    def _create_defaults_list(self, config_path: str, defaults: ListConfig) -> list[InputDefault]:
        entries: list[Any] = super()._create_defaults_list(config_path, defaults)
        for entry in entries:
            group = getattr(entry, "original_group", None)
            if group is not None and getattr(entry, "normalized_shorthand", False):
                folder = entry.group.removeprefix(f"{group}/")
                entry.group, entry.value = group, f"{folder}/{entry.value}"
                entry.normalized_shorthand = False
        return entries


class CheckedLoader(ConfigLoaderImpl):
    """Hydra's config loader with `foreign_code` applied to every configuration.

    Every configuration passes through `_process_config_searchpath` and `_load_configuration_impl`, in Hydra 1.3 and
    in 1.4.

    Attributes:
        arguments: command line, as typed.
    """

    def __init__(self, config_search_path: ConfigSearchPath, arguments: Sequence[str] = ()) -> None:
        super().__init__(config_search_path)
        self.arguments = arguments
        self.repository = Repository(config_search_path)

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        """Compose a job of a sweep.

        Each of several swept experiments may set its own `hydra.sweeper.params`, which Hydra 1.4's method refuses.
        """
        overrides = [*master_config.hydra.overrides.hydra, *sweep_overrides]
        config = self.load_configuration(master_config.hydra.job.config_name, overrides, RunMode.RUN)
        OmegaConf.copy_cache(from_config=master_config, to_config=config)
        return config

    def _process_config_searchpath(self, config_name: str | None, parsed_overrides: list[Override], repo: Any) -> None:
        """Refuse `hydra.searchpath` before Hydra evaluates it, since it can import a package."""
        if any(re.findall(r"\w+", override.key_or_group) == ["hydra", "searchpath"] for override in parsed_overrides):
            raise SettingError("hydra.searchpath", None, "is not supported; expected --config-dir DIRECTORY")
        super()._process_config_searchpath(config_name, parsed_overrides, repo)

    def _load_configuration_impl(
        self, config_name: str | None, overrides: list[str], *rest: Any, **options: Any
    ) -> DictConfig:
        """Compose a configuration and check it."""
        try:
            config = super()._load_configuration_impl(config_name, overrides, *rest, **options)
        except KeyError as error:
            (name, *_) = (*error.args, None)
            if isinstance(error, OmegaConfBaseException) or not isinstance(name, str) or name in os.environ:
                raise
            raise SettingError("hydra.job.env_copy", None, f"{name} is not set in the environment") from error
        parsed = OverridesParser.create().parse_overrides(overrides)
        typed = [override.get_key_element().lstrip("+~") for override in parsed]
        problems = [*foreign_code(config, typed), *wrong_settings(config)]
        recorded = len(config.hydra.overrides.hydra) + len(config.hydra.overrides.task)
        if recorded != len(overrides):  # jobs are composed from this record, as if it had been typed
            problems.append(
                SettingError("hydra.overrides", None, "is Hydra's record of the command line and can't be set")
            )
        can_allow = "allow" in config and "allow" not in typed  # --hydra-help composes Hydra's settings only
        if can_allow and (OmegaConf.is_interpolation(config, "allow") or config.get("allow")):
            problems.append(
                SettingError("allow", config.get("allow"), "expected on the command line, not in a YAML file")
            )
        OmegaConf.clear_cache(config)  # the check has resolved values before those of a job are set
        if problems:
            raise BadConfig(problems)
        return config


def foreign_code(config: DictConfig, typed: Sequence[str] = ()) -> Iterator[SettingError]:
    """Yield a problem for every value below `hydra` that names code which may not run.

    Args:
        config: composed, with Hydra's node.
        typed: keys set on the command line. Only these may hold shell commands for a cluster.
    """
    whole: Any = OmegaConf.to_container(config.hydra, resolve=False)
    raw = {section: whole[section] for section in SECTIONS}
    copied = whole["job"]["env_copy"]
    raw["job"] = {"env_set": {key: value for key, value in whole["job"]["env_set"].items() if key not in copied}}
    for where, value in _values(config, config.hydra, raw, "hydra"):
        key = where.rpartition(".")[2]
        message = None
        if isinstance(value, _Unknown):
            message = _unknown(where, value)
        elif isinstance(value, Container):
            message = "is an interpolation of a whole node; expected the node itself"
        elif where.startswith(LOGGING):
            message = _logging(key, value)
        elif key == "_target_":
            message = _target(where, value)
        if message is None and _names_code(where, value, typed):
            message = "can run code; expected on the command line, not in a YAML file"
        if message is not None:
            yield SettingError(where, None if isinstance(value, Container) else str(value), message)
    for section in ("launcher", "sweeper"):
        if not isinstance(raw[section], dict) or "_target_" not in raw[section]:
            yield SettingError(f"hydra.{section}", "null", f"expected a choice, hydra/{section}=...")
    for planned in OmegaConf.select(config, "hydra.sweeper.params") or {}:
        if re.match(r"\W*(allow$|hydra\b)", str(planned)):
            yield SettingError(f"hydra.sweeper.params.{planned}", None, "can't be swept; expected on the command line")


class _Unknown(str):
    """Text of an interpolation that can't be resolved yet."""


def _values(config: DictConfig, node: Any, raw: Any, where: str) -> Iterator[tuple[str, Any]]:
    """Yield (key, resolved value) of all leaves; containers that result from an interpolation are not entered."""
    for key, value in raw.items() if isinstance(raw, dict) else enumerate(raw):
        place = f"{where}.{key}"
        if isinstance(value, (dict, list)):
            yield from _values(config, node[key], value, place)
        elif isinstance(value, str) and "${" in value:
            try:
                yield place, node[key]
            except OmegaConfBaseException:
                yield place, _Unknown(_with_known(config, value))
        else:
            yield place, value


def _with_known(config: DictConfig, text: str) -> str:
    """Replace plain references by their values where these are already known."""

    def value(reference: re.Match[str]) -> str:
        if reference[1] in OF_THE_JOB:
            return "0"
        try:
            selected = OmegaConf.select(config, reference[1])
        except OmegaConfBaseException:
            selected = None
        return reference[0] if selected is None or isinstance(selected, Container) else str(selected)

    return re.sub(r"\$\{([\w.]+)\}", value, text)


def _unknown(where: str, text: str) -> str | None:
    """Return what is wrong with an unresolved interpolation where its value could name code."""
    if not where.startswith((*LOGGING, "hydra.callbacks.")) and not where.endswith("._target_"):
        return None
    return "can't be resolved yet; expected a plain value" if "${" in text else _logging(where.rpartition(".")[2], text)


def _logging(key: str, value: Any) -> str | None:
    """Return what is wrong with an entry of a logging configuration, or None."""
    if key in ("class", "()") and value not in LOGGING_CLASSES:
        return f"expected one of {', '.join(LOGGING_CLASSES)}"
    if key in ("queue", "listener", "_target_"):
        return "is not supported"
    if isinstance(value, str) and re.match(r"(ext|cfg)://", value) and value not in STREAMS:
        return f"expected one of {', '.join(STREAMS)}"
    if key == "filename" and not str(value).endswith(".log"):
        return "expected a file name that ends in .log"
    return None


def _target(where: str, value: Any) -> str | None:
    """Return what is wrong with a `_target_`, or None."""
    if value == OWN.get(where):
        return None
    if re.fullmatch(SAMPLER_PLACE, where) and re.fullmatch(SAMPLER, str(value)):
        return None
    for place, kind, word, packages in PLUGINS:
        if re.fullmatch(place, where):
            message = f"expected a {word} of Hydra, of one of its installed plugins or of gansweep"
            if not str(value).startswith(tuple(f"{package}." for package in packages)):
                return message
            try:
                return None if issubclass(locate(value, PACKAGES), kind) else message
            except NotAllowed:
                return message
    return "nothing is instantiated here; expected no _target_"


def _names_code(where: str, value: Any, typed: Sequence[str]) -> bool:
    """Return whether a value names code and was not set on the command line."""
    match = COMMANDS.match(f"{where}.")
    if match is None or value is None or f"{where}."[match.end()] not in ".":
        return False
    return not any(f"{where}.".startswith(f"{key}.") for key in typed)
