"""Directories of YAML files: conf/ and --config-dir."""

from __future__ import annotations

from pathlib import Path

import gansweep
from gansweep.config.errors import SettingError


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
        raise SettingError("--config-dir", config_dir, "is not a directory")
