"""Metrics equal those of other libraries on the same features."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn

from gansweep.metrics.frechet import frechet_distance
from gansweep.metrics.inception_score import inception_score
from gansweep.metrics.kid import kernel_distance, squared_mmd
from gansweep.metrics.manifold import manifold_shares
from gansweep.metrics.statistics import moments_of

NUM_FEATURES = 12


def features(count: int, seed: int, spread: float = 1.0) -> torch.Tensor:
    """Return correlated and skewed features with a mean far from 0, in float64."""
    g = torch.Generator().manual_seed(seed)
    mixing = torch.randn(NUM_FEATURES, NUM_FEATURES, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return spread * (torch.randn(count, NUM_FEATURES, generator=g, dtype=torch.float64) @ mixing).exp().clamp(max=9)


@pytest.fixture
def pair() -> tuple[torch.Tensor, torch.Tensor]:
    return features(90, 1), features(70, 2, 0.8) + 0.1


class Given(nn.Module):
    """Feature network whose inputs are the features."""

    num_features = NUM_FEATURES

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def of_torchmetrics(name: str, *updates: tuple[torch.Tensor, ...], **settings: object) -> torch.Tensor:
    image = pytest.importorskip("torchmetrics.image")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        metric = getattr(image, name)(feature=Given(), **settings)
    for update in updates:
        metric.update(*update)
    return metric.compute()


def test_frechet_distance_equals_torch_fidelity(pair):
    fid = pytest.importorskip("torch_fidelity.metric_fid")
    theirs = fid.fid_statistics_to_metric(*map(fid.fid_features_to_statistics, pair), verbose=False)
    ours = frechet_distance(*map(moments_of, pair))
    assert ours == pytest.approx(theirs["frechet_inception_distance"], rel=1e-6)


def test_frechet_distance_equals_torchmetrics(pair):
    real, fake = pair
    theirs = of_torchmetrics("FrechetInceptionDistance", (real[:40], True), (real[40:], True), (fake, False))
    assert frechet_distance(*map(moments_of, pair)) == pytest.approx(theirs.item(), rel=1e-6)


def test_kernel_distance_of_all_samples_equals_torch_fidelity(pair):
    kid = pytest.importorskip("torch_fidelity.metric_kid")
    x, y = pair[0][:70], pair[1]
    theirs = kid.kid_features_to_metric(x, y, kid_subsets=3, kid_subset_size=70, verbose=False)
    mean, std = kernel_distance(x, y, num_subsets=3, subset_size=70)
    assert mean == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-6)
    assert std == pytest.approx(theirs["kernel_inception_distance_std"], abs=1e-6 * mean)


def test_kernel_distance_of_subsets_agrees_with_torch_fidelity(pair):
    kid = pytest.importorskip("torch_fidelity.metric_kid")
    theirs = kid.kid_features_to_metric(*pair, kid_subsets=400, kid_subset_size=30, verbose=False)
    mean, std = kernel_distance(*pair, num_subsets=400, subset_size=30)
    assert mean == pytest.approx(theirs["kernel_inception_distance_mean"], abs=4 * std / 20)
    assert std == pytest.approx(theirs["kernel_inception_distance_std"], rel=0.2)


def test_kernel_distance_equals_torchmetrics(pair):
    x, y = pair[0][:70], pair[1]
    updates = (x, True), (y, False)
    mean, _ = of_torchmetrics("KernelInceptionDistance", *updates, subsets=2, subset_size=70)
    assert squared_mmd(x, y).item() == pytest.approx(mean.item(), rel=1e-6)


@pytest.mark.parametrize("splits", [1, 5])
def test_inception_score_equals_torch_fidelity(pair, splits):
    isc = pytest.importorskip("torch_fidelity.metric_isc")
    logits = pair[0]
    theirs = isc.isc_features_to_metric(logits, splits, shuffle=False)
    mean, std = inception_score(logits.softmax(1), splits)
    assert mean == pytest.approx(theirs["inception_score_mean"], rel=1e-6)
    assert std == pytest.approx(theirs["inception_score_std"], rel=1e-6)


def test_inception_score_of_one_split_equals_torchmetrics(pair):
    mean, _ = of_torchmetrics("InceptionScore", (pair[0],), splits=1)
    assert inception_score(pair[0].softmax(1), 1)[0] == pytest.approx(mean.item(), rel=1e-6)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_precision_and_recall_equal_torch_fidelity(pair, k):
    prc = pytest.importorskip("torch_fidelity.metric_prc")
    real, fake = pair
    # torch-fidelity averages zeros and ones in float32
    theirs = prc.prc_features_to_metric(fake, real, prc_neighborhood=k, verbose=False)
    ours = manifold_shares(real, fake, k)
    assert ours["precision"] == pytest.approx(theirs["precision"], rel=1e-6)
    assert ours["recall"] == pytest.approx(theirs["recall"], rel=1e-6)
    assert ours["precision"] != ours["recall"]


@pytest.mark.parametrize("k", [1, 5])
def test_precision_recall_density_coverage_equal_the_published_code(pair, k):
    prdc = pytest.importorskip("prdc")
    real, fake = pair
    theirs = prdc.compute_prdc(real.numpy(), fake.numpy(), nearest_k=k)
    assert manifold_shares(real, fake, k) == pytest.approx({name: float(v) for name, v in theirs.items()}, rel=1e-6)
