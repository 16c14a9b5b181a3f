"""Where the configuration lies and where results go, for Hydra to look up."""

from __future__ import annotations

from inspect import signature
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import InterpolationResolutionError

import gansweep
from gansweep.config.errors import BadConfig, Problem
from gansweep.sweep.identity import sweep_name


def conf_dir() -> Path:
    """Find conf/: at the top of a checkout, or inside the installed package.

    Raises:
        FileNotFoundError: the installation is broken.
    """
    package = Path(gansweep.__file__).resolve().parent
    checkout = package.parent.name == "src"
    folder = package.parents[1] / "conf" if checkout else package / "conf"
    if not (folder / "config.yaml").is_file():
        raise FileNotFoundError(f"{folder} is not there: install gansweep again")
    return folder


def check_config_dir(config_dir: str | None) -> None:
    """See that the user's directory of YAML files is there, about which Hydra itself only warns.

    Raises:
        BadConfig: it is not.
    """
    if config_dir is not None and not Path(config_dir).is_dir():
        raise BadConfig([Problem("--config-dir", f"={config_dir}: is not a directory")])


def register() -> None:
    """Tell OmegaConf what ${gansweep.sweep:...} and ${gansweep.cell:} stand for.

    The sweep's name is cached with the configuration. Hydra hands the cache on to the jobs,
    whose own overrides would make another name.
    """
    # Renamed in OmegaConf 2.4; in 2.3 the new name is that of an older function, which can't replace a resolver.
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
    """Name a job's directory where no grid did, under a sweeper that asks for one job at a time."""
    from gansweep.cli.grid import cell_of

    keys = [str(key) for key in _root_ if key != "hydra"]
    config: Any = OmegaConf.to_container(OmegaConf.masked_copy(_root_, keys), resolve=True)
    node = _root_.hydra
    return cell_of(config, list(node.overrides.task), node.runtime.choices, Path()).name
