"""Every data set in conf/data."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from importlib import import_module
from inspect import getattr_static, signature
from pathlib import Path

import pytest
import yaml

CONF = Path(__file__).parents[2] / "conf" / "data"
WHERE = ("root", "path")  # folder or file
ALL = pytest.mark.parametrize("path", sorted(CONF.glob("*.yaml")), ids=lambda path: path.stem)


def make(path, /, **changes):
    node = yaml.safe_load(path.read_text())
    module, _, name = node.pop("_target_").rpartition(".")
    return getattr(import_module(module), name)(**(node | changes)), node


@ALL
def test_data_yaml_lists_all_settings_with_the_defaults_of_the_class(path):
    data, node = make(path)
    defaults = {name: parameter.default for name, parameter in signature(type(data)).parameters.items()}
    assert node.keys() == defaults.keys()
    for name in node.keys() - set(WHERE):
        assert node[name] == defaults[name], name
    for where in (where for where in node.keys() & set(WHERE) if node[where] is not None):
        assert node[where].startswith("${oc.env:GANSWEEP_DATA,data}")
        assert node[where].replace("${oc.env:GANSWEEP_DATA,data}", "data") == defaults[where]


@ALL
def test_construction_reads_no_files(path, tmp_path):
    data, node = make(path)
    for where in node.keys() & set(WHERE):
        data, _ = make(path, **{where: str(tmp_path / "nowhere")})
    assert data.name == path.stem
    assert len(data.sample_shape) in (1, 3)
    assert not vars(data).keys() & {"samples", "content_hash"}
    for name in ("samples", "content_hash", "check"):
        assert getattr_static(data, name)
    with pytest.raises(FrozenInstanceError):
        data.name = "other"


@ALL
def test_data_without_files_can_be_read_and_others_name_their_files(path, tmp_path):
    data, node = make(path)
    for where in node.keys() & set(WHERE):
        data, _ = make(path, **{where: str(tmp_path / "nowhere")})
        with pytest.raises(FileNotFoundError, match=rf"data={path.stem}: .*{tmp_path}/nowhere.*data\.{where}="):
            data.check()
    if any(node[where] is not None for where in node.keys() & set(WHERE)):
        return  # the files are missing
    data, _ = make(path)
    data.check()
    assert tuple(data.samples.shape[1:]) == data.sample_shape
    assert data.samples is data.samples
    assert len(data.content_hash) == 64


def test_samples_outside_the_range():
    from gansweep.data.digits import Digits

    class Loud(Digits):
        def read(self):
            return super().read() * 1.01

    with pytest.raises(ValueError, match=r"digits: values from -1.01 to 1.01, expected \[-1, 1\]"):
        len(Loud().samples)
