"""Every metric in conf/metric.

Mistakes: a class that does not exist, a default other than that of the class.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from metric_fakes import Given
from tests.metrics.feature_nets import Embed

from gansweep.interfaces import Metric
from gansweep.user_code import Factory

FOLDER = Path(__file__).parents[2] / "conf" / "metric"


def made(node: dict[str, Any]) -> Any:
    module, _, name = node["_target_"].rpartition(".")
    if node["_target_"] == "???":
        return Factory(Embed)  # of metric=module
    arguments = {k: made(v) if isinstance(v, dict) else v for k, v in node.items() if k != "_target_"}
    return getattr(importlib.import_module(module), name)(**arguments)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_yaml_is_a_metric(path):
    metric = made(yaml.safe_load(path.read_text()))
    assert isinstance(metric, Metric)
    assert metric.num_samples > 1
    assert metric.name
    with pytest.raises(ValueError, match="choose|expected"):
        metric.check(Given(torch.zeros(4, 5, 3, 3)))
