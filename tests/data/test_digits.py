"""Digits of scikit-learn."""

from __future__ import annotations

import pytest
import torch

from gansweep.data.digits import Digits


def test_pixels_equal_those_of_scikit_learn():
    """Mistakes: transposed or differently scaled images."""
    from sklearn.datasets import load_digits

    samples = Digits().samples
    assert samples.shape == (1797, 1, 8, 8)
    assert samples.dtype == torch.float32
    assert (samples[:, 0].numpy() * 8 + 8 == load_digits().images).all()
    assert (samples.min(), samples.max()) == (-1, 1)


@pytest.mark.parametrize("size", [16, 28, 32])
def test_resizing_preserves_the_digits(size):
    data = Digits(size=size)
    assert data.samples.shape == (1797, *data.sample_shape) == (1797, 1, size, size)
    assert data.samples.abs().max() <= 1
    small = torch.nn.functional.interpolate(data.samples, (8, 8), mode="area") if size % 8 == 0 else None
    if small is not None:
        correlation = torch.corrcoef(torch.stack([small.flatten(), Digits().samples.flatten()]))[0, 1]
        assert correlation > 0.95


def test_hash_depends_on_the_size():
    assert Digits().content_hash == Digits().content_hash != Digits(size=16).content_hash


def test_construction_reads_nothing(monkeypatch):
    def fail(*args, **kwargs):
        raise AssertionError("read")

    monkeypatch.setattr("sklearn.datasets.load_digits", fail)
    data = Digits()
    assert data.sample_shape == (1, 8, 8)
    with pytest.raises(AssertionError, match="read"):
        len(data.samples)


def test_size_out_of_range():
    with pytest.raises(ValueError, match="size=0"):
        Digits(size=0)
