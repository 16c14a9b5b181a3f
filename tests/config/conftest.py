from __future__ import annotations

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from gansweep.cli import folders, hydra_app
from gansweep.cli.hydra_app import BASE


@pytest.fixture(scope="module")
def default():
    hydra_app.register()
    with initialize_config_dir(str(folders.conf_dir()), **BASE):
        return OmegaConf.to_container(compose("config", ["device=cpu"]), resolve=True)
