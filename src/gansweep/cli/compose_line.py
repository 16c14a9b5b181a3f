"""Compose all configurations of a command line, for commands that do not train."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
from hydra import compose, initialize_config_dir
from hydra._internal.hydra import Hydra
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, OverrideParseException
from omegaconf.errors import OmegaConfBaseException

from gansweep.cli import folders
from gansweep.cli.checked_loader import LOGGING_CLASSES, checked_loading
from gansweep.cli.combinations import combinations
from gansweep.cli.compose import Composer, Composition
from gansweep.cli.experiments import check_experiments
from gansweep.cli.grid_size import refuse_too_many
from gansweep.cli.includes import check_includes
from gansweep.cli.override_spelling import unreadable
from gansweep.cli.presets import spelled_out
from gansweep.config.errors import BadConfig, Problem
from gansweep.config.root import Root

TRUSTED_CLASSES = (
    *("gansweep.*", "hydra_plugins.*", "hydra.experimental.callbacks.*", "optuna.samplers.*"),
    *LOGGING_CLASSES,
)
_HYDRA_1_3 = tuple(map(int, hydra.__version__.split(".")[:2])) < (1, 4)
# Hydra 1.3 requires version_base, Hydra 1.4 warns about it.
BASE: dict[str, Any] = {"version_base": "1.3"} if _HYDRA_1_3 else {}
# Without a whitelist of the classes below `hydra`, Hydra 1.4 warns and Hydra 1.5 refuses the configuration.
TRUSTED: dict[str, Any] = {} if _HYDRA_1_3 else {"execution_whitelist": TRUSTED_CLASSES}


def composed(overrides: Sequence[str], config_dir: str | None) -> list[Composition]:
    """Return the composition of every combination of a command line, as for a training.

    Args:
        overrides: of a `python -m gansweep -m` command.
        config_dir: directory with further YAML files.

    Raises:
        BadConfig: the line can't be parsed, or Hydra refuses it.
    """
    folders.register()
    folders.check_config_dir(config_dir)
    check_experiments(overrides, config_dir)
    spelled = spelled_out(overrides, config_dir)
    check_includes(spelled, config_dir)
    try:
        with composer_and_loader(config_dir) as (composer, loader):
            return [composer(job) for job in jobs_of(loader, spelled)]
    except OverrideParseException as error:
        raise BadConfig([unreadable(error, overrides)]) from error
    except (HydraException, OmegaConfBaseException) as error:
        raise BadConfig([Problem("configuration", str(error).strip())]) from error


@contextmanager
def composer_and_loader(config_dir: str | None) -> Iterator[tuple[Composer, ConfigLoader]]:
    """Yield a composer and Hydra's loader for conf/ and the user's directory, outside of a training."""
    GlobalHydra.instance().clear()
    with checked_loading(), initialize_config_dir(str(folders.conf_dir()), **BASE):
        if config_dir is not None:
            _also_search(Path(config_dir))
        loader = GlobalHydra.instance().config_loader()
        yield Composer(lambda lines: compose("config", lines, return_hydra_config=True), loader), loader


def jobs_of(loader: ConfigLoader, overrides: Sequence[str]) -> list[list[str]]:
    """Return the overrides of every combination."""
    parsed = OverridesParser.create(config_loader=loader).parse_overrides(list(overrides))
    refuse_too_many([parsed], Root.most_cells)
    return combinations(parsed)


def _also_search(folder: Path) -> None:
    """Add a directory to the search path of Hydra's loader, as --config-dir does.

    With `hydra.searchpath` composing would work too, but the loader would not list the options of that directory.
    """
    path = GlobalHydra.instance().config_loader().get_search_path()
    path.prepend("command-line", f"file://{folder.absolute()}", anchor="schema")  # the anchor is the last entry
    GlobalHydra.instance().clear()
    Hydra.create_main_hydra2(task_name="gansweep", config_search_path=path)
