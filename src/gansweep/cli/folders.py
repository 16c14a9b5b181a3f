"""Directories: conf/, --config-dir and the directory of a sweep."""

from __future__ import annotations

import os
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

import gansweep
from gansweep.config.errors import SettingError

MAX_BYTES = 255  # of a folder's name, on the usual file systems


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


def sweep_dir(master: DictConfig) -> Path:
    """Return the absolute path of a sweep's directory, which need not exist.

    Raises:
        BadConfig: a folder name is too long, or a file is in the way.
    """
    root = Path(str(master.hydra.sweep.dir)).absolute()
    longest = max(len(os.fsencode(part)) for part in root.parts)
    if longest > MAX_BYTES:
        node = OmegaConf.to_container(master.hydra.sweep, resolve=False)
        by_name = isinstance(node, dict) and "${name}" in str(node["dir"])
        key, value = ("name", master.name) if by_name else ("hydra.sweep.dir", root)
        raise SettingError(
            key, value, f"is too long for a folder ({longest} bytes); expected at most {MAX_BYTES} bytes"
        )
    file = next((path for path in (root, *root.parents) if os.path.lexists(path)), root)
    if file.is_file():
        name = os.path.relpath(file)
        expected = f"is a file, but the results of this sweep need a folder of this name: {root}"
        raise SettingError(name, None, f"{expected}. Move the file, or choose another folder with hydra.sweep.dir=...")
    return root
