"""Degenerate samples.

Mistakes: the range over all values, which misses a repeated image; rounding errors.
"""

from __future__ import annotations

import pytest
import torch
from metric_fakes import uniform_images

from gansweep.metrics.degenerate import degenerate


@pytest.mark.parametrize("shape", [(1, 4, 4), (3, 4, 4), (2,)])
def test_repeated_sample_is_detected_despite_rounding(shape):
    one, rounding = uniform_images(1, 1, shape).expand(9, *shape), uniform_images(9, 2, shape)
    assert degenerate(one) == "all samples are equal"
    assert degenerate(one + 1e-6 * rounding) == "all samples are equal"
    assert degenerate(torch.full((9, *shape), -1.0)) == "all samples are equal"


@pytest.mark.parametrize("channels", [1, 3])
def test_flat_images_are_detected(channels):
    flat = uniform_images(9, 1, (channels, 1, 1)).expand(9, channels, 4, 4)
    assert degenerate(flat) == "every image is of one flat colour"
    assert degenerate(flat + 1e-6 * uniform_images(9, 2, (channels, 4, 4))) == "every image is of one flat colour"


@pytest.mark.parametrize("shape", [(1, 4, 4), (3, 4, 4), (2,), (1, 1)])
def test_small_variation_is_not_degenerate(shape):
    assert degenerate(uniform_images(9, 1, shape)) is None
    nearly = uniform_images(1, 1, shape).expand(9, *shape).clone()
    nearly[4, ..., -1] += 0.01
    assert degenerate(nearly) is None
