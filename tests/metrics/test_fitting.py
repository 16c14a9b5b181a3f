"""Mistakes: a message that sends people to a metric that refuses them too, or forgets one that would do."""

from __future__ import annotations

import pytest
import torch
import yaml
from metric_fakes import Given
from test_conf import FOLDER, made

from gansweep.metrics import inception, torchvision_inception
from gansweep.metrics.fitting import fitting

SHAPES = [(2,), (1, 8, 8), (3, 32, 32)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_metrics_told_are_those_that_accept(shape, monkeypatch):
    for module in (inception, torchvision_inception):  # whose weights would be downloaded
        monkeypatch.setattr(module, "find_weights", lambda *_: None)
        monkeypatch.setattr(module, "network", lambda *_: None)
    accepting = set()
    for path in FOLDER.glob("*.yaml"):
        metric = made(yaml.safe_load(path.read_text()))
        if getattr(metric, "of_pairs", False):
            continue  # an algorithm's own
        try:
            metric.check(Given(torch.zeros(1, *shape).expand(5000, *shape)))  # as many as a metric asks for
        except ValueError as refusal:
            assert fitting(shape) in str(refusal), path
        else:
            accepting.add(path.stem)
    told = set(fitting(shape).removeprefix("choose metric=").replace(" or ", ", ").split(", "))
    assert told == accepting


def test_no_metric_is_told_for_what_none_reads():
    assert fitting((4, 8, 8)).startswith("expected")
