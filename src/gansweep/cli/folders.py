"""Paths of the configuration and of results, and the OmegaConf resolvers that Hydra uses for them."""

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
    """Return the path of conf/: at the top of a checkout, or inside the installed package.

    Raises:
        FileNotFoundError: the installation is broken.
    """
    package = Path(gansweep.__file__).resolve().parent
    checkout = package.parent.name == "src"
    folder = package.parents[1] / "conf" if checkout else package / "conf"
    if not (folder / "config.yaml").is_file():
        raise FileNotFoundError(f"{folder} does not exist; reinstall gansweep")
    return folder


def check_config_dir(config_dir: str | None) -> None:
    """Check that the directory of --config-dir exists; Hydra only warns.

    Raises:
        BadConfig: it does not exist.
    """
    if config_dir is not None and not Path(config_dir).is_dir():
        raise BadConfig([Problem("--config-dir", f"={config_dir}: is not a directory")])


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
    from gansweep.cli.grid import cell_of

    keys = [str(key) for key in _root_ if key != "hydra"]
    config: Any = OmegaConf.to_container(OmegaConf.masked_copy(_root_, keys), resolve=True)
    node = _root_.hydra
    return cell_of(config, list(node.overrides.task), node.runtime.choices, Path()).name
