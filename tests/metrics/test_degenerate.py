"""Mistakes: the range over all values, so that one repeated picture passes; rounding that hides a collapse."""

from __future__ import annotations

import pytest
import torch
from metric_fakes import uniform_images

from gansweep.metrics.degenerate import degenerate


@pytest.mark.parametrize("shape", [(1, 4, 4), (3, 4, 4), (2,)])
def test_one_picture_repeated_is_told_with_rounding_too(shape):
    one, rounding = uniform_images(1, 1, shape).expand(9, *shape), uniform_images(9, 2, shape)
    assert degenerate(one) == "all samples are equal"
    assert degenerate(one + 1e-6 * rounding) == "all samples are equal"
    assert degenerate(torch.full((9, *shape), -1.0)) == "all samples are equal"


@pytest.mark.parametrize("channels", [1, 3])
def test_flat_pictures_of_many_colours_are_told(channels):
    flat = uniform_images(9, 1, (channels, 1, 1)).expand(9, channels, 4, 4)
    assert degenerate(flat) == "every image is of one flat colour"
    assert degenerate(flat + 1e-6 * uniform_images(9, 2, (channels, 4, 4))) == "every image is of one flat colour"


@pytest.mark.parametrize("shape", [(1, 4, 4), (3, 4, 4), (2,), (1, 1)])
def test_what_varies_a_little_anywhere_is_not_told(shape):
    assert degenerate(uniform_images(9, 1, shape)) is None
    nearly = uniform_images(1, 1, shape).expand(9, *shape).clone()
    nearly[4, ..., -1] += 0.01
    assert degenerate(nearly) is None
