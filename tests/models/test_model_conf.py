"""Every model in conf/model."""

from __future__ import annotations

from importlib import import_module
from inspect import signature
from pathlib import Path

import pytest
import yaml

from gansweep.interfaces import Model

CONF = Path(__file__).parents[2] / "conf" / "model"
# model=modules has no networks of its own: test_modules.py.
PATHS = [path for path in sorted(CONF.glob("*.yaml")) if path.stem != "modules"]
ALL = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def make(node):
    if not isinstance(node, dict) or "_target_" not in node:
        return tuple(node) if isinstance(node, list) else node
    module, _, name = node["_target_"].rpartition(".")
    return getattr(import_module(module), name)(**{key: make(part) for key, part in node.items() if key != "_target_"})


@ALL
def test_yaml_lists_all_settings_with_the_defaults_of_the_class(path):
    """A yaml named like its module has the defaults; all list every setting."""
    node = yaml.safe_load(path.read_text())
    model = make(node)
    assert isinstance(model, Model)
    if type(model).__module__.endswith(f".{path.stem}"):
        assert model == type(model)()
    assert list(node)[1:] == list(signature(type(model)).parameters)


@ALL
@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 64, 64)], ids=str)
def test_every_model_generates_images_of_every_data_set(path, shape):
    if path.stem in ("dirac", "point"):
        pytest.skip("makes points")
    model = make(yaml.safe_load(path.read_text()))
    assert model.generator(shape).num_parameters > 0
    if path.stem != "unet":
        assert model.discriminator(shape).num_parameters > 0
