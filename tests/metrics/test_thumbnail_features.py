"""Thumbnail features.

Mistakes: subsampling instead of averaging, images smaller than the thumbnail.
"""

from __future__ import annotations

import pytest
import torch

from gansweep.metrics.thumbnail_features import ThumbnailFeatures


def test_values_are_means_over_squares():
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    features = ThumbnailFeatures()(images)
    assert features.shape == (2, 3 * 64)
    assert features[1, 64 + 9].item() == pytest.approx(images[1, 1, 4:8, 4:8].mean().item())
    assert ThumbnailFeatures().frechet_name == "fd_thumbnail"
    assert ThumbnailFeatures(size=16).name == "thumbnail_16"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ThumbnailFeatures(size=0), "size=0"),
        (lambda: ThumbnailFeatures(size=16).check((1, 8, 8)), "size=16: expected at most 8"),
        (lambda: ThumbnailFeatures().check((2,)), "choose metric=wasserstein1"),
    ],
)
def test_unsupported_settings_and_shapes(make, message):
    with pytest.raises(ValueError, match=message):
        make()
