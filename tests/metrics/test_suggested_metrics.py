"""Suggested metrics.

Mistakes: a suggested metric rejects the samples, or an accepting one is not listed.
"""

from __future__ import annotations

import pytest
import torch
import yaml
from metric_fakes import Given
from test_metric_conf import FOLDER, made

from gansweep.metrics import inception, suggested_metrics, torchvision_inception

SHAPES = [(2,), (1, 8, 8), (3, 32, 32)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_suggested_metrics_are_those_that_accept_the_samples(shape, monkeypatch):
    for module in (inception, torchvision_inception):  # whose weights would be downloaded
        monkeypatch.setattr(module, "find_weights", lambda *_: None)
        monkeypatch.setattr(module, "network", lambda *_: None)
    accepting = set()
    for path in FOLDER.glob("*.yaml"):
        if path.stem == "module" or path.stem.startswith("intra_"):
            continue  # accept what the user's module accepts, and data with labels
        metric = made(yaml.safe_load(path.read_text()))
        if getattr(metric, "of_pairs", False):
            continue  # used by denoising only
        try:
            metric.check(Given(torch.zeros(1, *shape).expand(5000, *shape)))  # the most that a metric requires
        except ValueError as refusal:
            assert suggested_metrics(shape) in str(refusal), path
        else:
            accepting.add(path.stem)
    suggested = set(suggested_metrics(shape).removeprefix("choose metric=").replace(" or ", ", ").split(", "))
    assert suggested == accepting


def test_no_suggestion_for_unsupported_shapes():
    assert suggested_metrics((4, 8, 8)).startswith("expected")
