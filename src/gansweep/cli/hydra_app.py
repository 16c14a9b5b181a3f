"""Hydra with conf/, the user's directory, checked configurations and gansweep's resolvers.

Also composes the jobs of a command line without training.
"""

from __future__ import annotations

import logging
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from inspect import signature
from pathlib import Path
from typing import Any

import hydra.utils
from hydra import version
from hydra._internal import hydra as hydra_module
from hydra._internal.utils import create_config_search_path
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.utils import configure_log
from hydra.errors import ConfigCompositionException, HydraException, OverrideParseException
from hydra.types import RunMode
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import InterpolationResolutionError, OmegaConfBaseException

from gansweep.cli import folders, grid
from gansweep.cli.checked_loader import LOGGING_CLASSES, CheckedLoader
from gansweep.cli.compose import Composer, Composition
from gansweep.cli.error_report import unreadable
from gansweep.cli.experiments import EXPERIMENT, check_experiments, check_includes, spelled_out
from gansweep.cli.overrides import combinations, name_as_typed, refuse_too_many
from gansweep.config.errors import BadConfig, SettingError
from gansweep.config.root import Root
from gansweep.sweep.identity import sweep_name

CONFIG = "config"  # conf/config.yaml
TRACK = "track"  # folder of conf/ with the tasks of `gansweep track`
TRUSTED_CLASSES = (
    *("gansweep.*", "hydra_plugins.*", "hydra.experimental.callbacks.*", "optuna.samplers.*"),
    *LOGGING_CLASSES,
)
_HYDRA_1_3 = tuple(map(int, hydra.__version__.split(".")[:2])) < (1, 4)
# Hydra 1.3 requires version_base, Hydra 1.4 warns about it.
BASE: dict[str, Any] = {"version_base": "1.3"} if _HYDRA_1_3 else {}
# Exceptions that Hydra raises for overrides that it can't compose; the last two for choices that are not text.
REFUSED = (ConfigCompositionException, ValueError, TypeError)


class HydraApp(hydra_module.Hydra):
    """Hydra with a multirun composition that accepts every override which its jobs accept.

    Hydra composes the line without the swept values, and refuses
    `optimizer=sgd,rmsprop optimizer.momentum=0.9` because the default optimizer has no momentum. In
    that case this class composes the first job instead, or else only the settings of Hydra. Errors in
    a job are reported when the sweeper composes it.

    Attributes:
        multirun_config: the composed configuration of a multirun, None before it is composed.
    """

    multirun_config: DictConfig | None = None

    def compose_config(self, *args: Any, with_log_configuration: bool = False, **kwargs: Any) -> DictConfig:
        """Return the configuration of a command line; the arguments are those of `Hydra.compose_config`."""
        if kwargs["run_mode"] is RunMode.MULTIRUN:
            config = self.multirun_config = self._compose_multirun(*args, **kwargs)
        else:
            config = super().compose_config(*args, **kwargs)
        if with_log_configuration:
            try:
                configure_log(config.hydra.hydra_logging, config.hydra.verbose)
            except ValueError as error:
                raise SettingError("hydra.hydra_logging", None, f"{error}: {error.__cause__}") from error
            hydra_module.log = logging.getLogger(hydra_module.__name__)
            self._print_debug_info(kwargs["config_name"], kwargs["overrides"], kwargs["run_mode"])
        return config

    def list_all_config_groups(self, parent: str = "") -> Sequence[str]:
        """Return the groups that `--help` lists: all but the tracks, which are not part of a configuration."""
        return [group for group in super().list_all_config_groups(parent) if group != TRACK]

    def _compose_multirun(self, *args: Any, overrides: list[str], **kwargs: Any) -> DictConfig:
        try:
            return super().compose_config(*args, overrides=overrides, **kwargs)
        except BadConfig:  # a ValueError too
            raise
        except REFUSED:
            typed = OverridesParser.create(self.config_loader).parse_overrides(overrides)
            for lines in _substitutes(typed):
                with suppress(*REFUSED):
                    config = super().compose_config(*args, overrides=lines, **kwargs)
                    config.hydra.overrides.task = [str(o.input_line) for o in typed if not o.is_hydra_override()]
                    return config
            raise


def _substitutes(typed: Sequence[Override]) -> Iterator[list[str]]:
    """Yield overrides to compose instead of the line: those of its first job, then only the settings of Hydra.

    A swept `experiment` is left out: Hydra does not read the Hydra settings of a swept experiment either.
    """
    hydra = [str(o.input_line) for o in typed if o.is_hydra_override()]
    task = [o for o in typed if not o.is_hydra_override()]
    with suppress(BadConfig):
        (first, *_) = combinations([o for o in task if o.key_or_group != EXPERIMENT or not o.is_sweep_override()])
        yield [*hydra, *first]
    yield [*hydra, *(str(o.input_line) for o in task if o.key_or_group == "name" and not o.is_sweep_override())]


@contextmanager
def hydra_app(config_dir: str | None, arguments: Sequence[str] = ()) -> Iterator[HydraApp]:
    """Yield Hydra with conf/ and the user's directory in its search path."""
    register()
    search_path = create_config_search_path(str(folders.conf_dir()))
    if config_dir is not None:  # the last entry has the provider "schema"
        search_path.prepend("command-line", f"file://{Path(config_dir).absolute()}", anchor="schema")
    with ExitStack() as stack:
        version.setbase(BASE.get("version_base", version._UNSPECIFIED_))  # as hydra.main does
        if not _HYDRA_1_3:
            # Without a whitelist of the classes below `hydra`, Hydra 1.4 warns and Hydra 1.5 refuses the configuration.
            stack.enter_context(vars(hydra.utils)["execution_whitelist"](TRUSTED_CLASSES))
        GlobalHydra.instance().clear()
        app = HydraApp("gansweep", CheckedLoader(search_path, arguments))
        GlobalHydra.instance().initialize(app)
        stack.callback(GlobalHydra.instance().clear)
        yield app


@contextmanager
def composer_and_loader(config_dir: str | None) -> Iterator[tuple[Composer, ConfigLoader]]:
    """Yield a composer and Hydra's loader for conf/ and the user's directory, outside of a training."""
    with hydra_app(config_dir) as app:

        def compose(lines: list[str]) -> DictConfig:
            return app.compose_config(config_name=CONFIG, overrides=lines, run_mode=RunMode.RUN, from_shell=False)

        yield Composer(compose, app.config_loader), app.config_loader


def overrides_parser(command: str, description: str, epilog: str) -> ArgumentParser:
    """Return the parser of a command whose arguments are settings."""
    parser = ArgumentParser(command, description=description, epilog=epilog)
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="setting, with commas for several values")
    parser.add_argument("--config-dir", "-cd", help="directory with further YAML files")
    parser.add_argument("--multirun", "-m", action="store_true", help="accepted and ignored")
    return parser


def composed(overrides: Sequence[str], config_dir: str | None) -> list[Composition]:
    """Return the composition of every combination of a command line, as for a training.

    Raises:
        BadConfig: the line can't be parsed, or Hydra refuses it.
    """
    try:
        spelled = spelled_for_hydra(overrides, config_dir)
        with composer_and_loader(config_dir) as (composer, loader):
            return [composer(job) for job in jobs_of(loader, spelled)]
    except OverrideParseException as error:
        raise unreadable(error, overrides) from error
    except (HydraException, OmegaConfBaseException) as error:
        raise SettingError("configuration", None, str(error).strip()) from error


def spelled_for_hydra(overrides: Sequence[str], config_dir: str | None) -> list[str]:
    """Return the overrides with presets and the name of the sweep in the form that Hydra parses.

    Raises:
        BadConfig: a mistake that Hydra would ignore or report misleadingly.
    """
    folders.check_config_dir(config_dir)
    refuse_tracks(overrides)
    check_experiments(overrides, config_dir)
    spelled = name_as_typed(spelled_out(overrides, config_dir))
    check_includes(spelled, config_dir)
    return spelled


def refuse_tracks(overrides: Sequence[str]) -> None:
    """Refuse `track=ring`: the files of conf/track are not part of a configuration.

    Raises:
        SettingError: a track is chosen.
    """
    for key, _, name in (override.partition("=") for override in overrides):
        if key.lstrip("+~").strip() == TRACK:
            command = f"gansweep track try {name or 'NAME'} optimizer=... lr=..."
            raise SettingError(TRACK, name, f"is not a setting of a training; to train an entry of a track: {command}")


def jobs_of(loader: ConfigLoader, overrides: Sequence[str]) -> list[list[str]]:
    """Return the overrides of every combination."""
    parsed = OverridesParser.create(config_loader=loader).parse_overrides(list(overrides))
    refuse_too_many([parsed], Root.most_cells)
    return combinations(parsed)


def register() -> None:
    """Register the OmegaConf resolvers ${gansweep.sweep:...} and ${gansweep.cell:}.

    The sweep's name is cached with the configuration. Hydra copies the cache to the jobs, whose
    overrides would otherwise give another name.
    """
    # Renamed in OmegaConf 2.4; in 2.3 the new name belongs to an older function, which can't replace a resolver.
    renamed = "replace" in signature(OmegaConf.register_resolver).parameters
    add: Any = OmegaConf.register_resolver if renamed else OmegaConf.register_new_resolver
    add("gansweep.sweep", _sweep, use_cache=True, replace=True)
    add("gansweep.cell", _cell, replace=True)


def _sweep(name: object, overrides: ListConfig) -> str:
    if name is not None:
        return str(name)
    try:
        return sweep_name(list(overrides))
    except InterpolationResolutionError:  # lr=${lr_d} lr_d=1,2: each job has its own value
        texts: Any = OmegaConf.to_container(overrides, resolve=False)
        return sweep_name(texts)


def _cell(*, _root_: DictConfig) -> str:
    """Return the directory name of a job of a sweeper that requests one job at a time, without a grid."""
    keys = [str(key) for key in _root_ if key != "hydra"]
    config: Any = OmegaConf.to_container(OmegaConf.masked_copy(_root_, keys), resolve=True)
    node = _root_.hydra
    return grid.cell_of(config, list(node.overrides.task), node.runtime.choices, Path()).name
