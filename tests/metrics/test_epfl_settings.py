"""Settings of the EPFL study: input range, and drawing of the real images."""

from __future__ import annotations

import pytest
import torch
from metric_fakes import Given

from gansweep.metrics.classifier_features import ClassifierFeatures
from gansweep.metrics.frechet import FrechetDistance


def digits(count, seed=0):
    return torch.rand(count, 1, 8, 8, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_input_range_of_the_study():
    """2 x - 1 of images in [-1, 1]: black becomes -3 and white stays 1."""
    images = digits(5)
    slipped, proper = ClassifierFeatures("digits", low=-3.0), ClassifierFeatures("digits")
    assert torch.equal(slipped(images), proper(2 * images - 1))
    assert not torch.equal(slipped(images), proper(images))
    assert (slipped.frechet_name, proper.frechet_name) == ("fd_digits_-3", "fd_digits")
    assert slipped.fingerprint()["input"] == "[-1, 1] to [-1.5, 0.5]"


def test_drawing_all_images_without_replacement_uses_all():
    """The distance equals that to all images; with replacement, about a third is missing."""
    data, fake = Given(digits(200)), digits(100, seed=1)

    def distance(**how):
        return FrechetDistance(ClassifierFeatures("digits"), num_samples=100, **how)(data, fake)

    assert distance(num_real=200, with_replacement=False) == pytest.approx(distance(), rel=1e-6)
    assert distance(num_real=200) != pytest.approx(distance(), rel=1e-3)


def test_more_images_than_the_data_set_need_replacement():
    metric = FrechetDistance(ClassifierFeatures("digits"), num_samples=10, num_real=21, with_replacement=False)
    with pytest.raises(ValueError, match="num_real=21: expected at most 20"):
        metric.check(Given(digits(20)))


def test_fingerprint_depends_on_the_drawing():
    data = Given(digits(20))
    marks = [
        FrechetDistance(ClassifierFeatures("digits"), 10, 15, with_replacement=how).fingerprint(data)
        for how in (True, False)
    ]
    assert [mark["drawn_with_replacement"] for mark in marks] == [True, False]
