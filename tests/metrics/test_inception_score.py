"""Inception score.

Mistakes: log of zero, p(y) over all images instead of the split, mean of exponentials.
"""

from __future__ import annotations

import math

import pytest
import torch
from metric_fakes import Given
from sklearn.datasets import load_digits

from gansweep.metrics.classifier_features import ClassifierFeatures
from gansweep.metrics.inception_score import InceptionScore, inception_score


def confident(share: float, classes: int = 10) -> torch.Tensor:
    p = torch.full((classes, classes), (1 - share) / (classes - 1), dtype=torch.float64)
    return p.fill_diagonal_(share)


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        (torch.eye(10).repeat(5, 1), 10),
        (torch.full((50, 10), 0.1), 1),
        (torch.eye(10)[:3].repeat(5, 1), 3),
        (confident(0.9).repeat(5, 1), 5.799546135),
    ],
    ids=["one-hot", "uniform", "three classes", "nine tenths"],
)
@pytest.mark.parametrize("splits", [1, 5])
def test_known_scores(probabilities, expected, splits):
    mean, std = inception_score(probabilities, splits)
    assert mean == pytest.approx(expected, rel=1e-9)
    assert std == pytest.approx(0, abs=1e-9)


def test_class_distribution_is_computed_per_split():
    mean, std = inception_score(torch.cat([torch.eye(4)[:1].repeat(4, 1), torch.eye(4)]), 2)
    assert (mean, std) == (pytest.approx(2.5), pytest.approx(1.5))


def test_score_of_all_digits_and_of_one_digit():
    images, classes = load_digits(return_X_y=True)
    x = torch.from_numpy(images).float().view(-1, 1, 8, 8) / 8 - 1
    metric = InceptionScore(ClassifierFeatures("digits"), num_samples=100, num_splits=1)
    assert not metric.lower_is_better
    assert metric(Given(x), x[:100]) > 9
    assert metric(Given(x), x[torch.from_numpy(classes) == 3][:100]) < 1.3
    with pytest.raises(ValueError, match="not finite"):
        metric(Given(x), x[:100] * math.nan)
    with pytest.raises(ValueError, match="num_samples=100"):
        metric(Given(x), x[:99])


def test_fewer_images_than_splits():
    with pytest.raises(ValueError, match="num_samples=5"):
        InceptionScore(ClassifierFeatures("digits"), num_samples=5)
    with pytest.raises(ValueError, match="num_splits=0"):
        InceptionScore(ClassifierFeatures("digits"), num_splits=0)
