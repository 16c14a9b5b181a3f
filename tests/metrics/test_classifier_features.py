"""Classifier features.

Mistakes: other weights than recorded, random numbers drawn, wrong range or images.
"""

from __future__ import annotations

import hashlib
import shutil

import pytest
import torch
from metric_fakes import Given, uniform_images
from sklearn.datasets import load_digits

from gansweep.metrics.classifier_features import SHIPPED, ClassifierFeatures, facts, load_shipped
from gansweep.metrics.frechet import FrechetDistance

NAMES = sorted(path.stem for path in SHIPPED.glob("*.safetensors"))


def digits() -> tuple[torch.Tensor, torch.Tensor]:
    images, classes = load_digits(return_X_y=True)
    return torch.from_numpy(images).float().view(-1, 1, 8, 8) / 8 - 1, torch.from_numpy(classes)


def test_recorded_accuracy_of_digits():
    images, classes = digits()
    tested = torch.arange(len(classes)) % 5 == 4
    is_correct = load_shipped("digits")(images[tested]).argmax(1) == classes[tested]
    assert is_correct.double().mean().item() == pytest.approx(facts("digits")["test_accuracy"], abs=1e-9)
    assert is_correct.double().mean() > 0.97


@pytest.mark.parametrize("name", NAMES)
def test_size_accuracy_and_record_of_shipped_weights(name):
    path = SHIPPED / f"{name}.safetensors"
    assert path.stat().st_size < 3_000_000
    assert facts(name)["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert facts(name)["test_accuracy"] >= {"mnist": 0.99}.get(name, 0.97)
    assert facts(name)["data_licence"]


@pytest.mark.parametrize("name", NAMES)
def test_features_are_deterministic_and_have_the_recorded_length(name):
    load_shipped.cache_clear()
    network, images = ClassifierFeatures(name), uniform_images(9, 1, (1, 12, 12))
    before = torch.get_rng_state()
    first = network(images)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(network(images), first)
    assert first.shape == (9, network.fingerprint()["num_features"])
    assert not first.requires_grad
    torch.testing.assert_close(network(images[4:5])[0], first[4], rtol=1e-4, atol=1e-4)


def test_weights_with_another_hash(tmp_path):
    for path in SHIPPED.glob("digits.*"):
        shutil.copy(path, tmp_path)
    load_shipped("digits", folder=tmp_path)
    load_shipped.cache_clear()
    path = tmp_path / "digits.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    with pytest.raises(ValueError, match="sha256"):
        load_shipped("digits", folder=tmp_path)


def test_digits_have_the_smallest_distance_to_digits():
    images, classes = digits()
    data, metric = Given(images), FrechetDistance(ClassifierFeatures("digits"), 400)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    real = metric(data, images[order[:400]])
    noise = metric(data, uniform_images(400, 1, (1, 8, 8)))
    zeros_only = metric(data, images[classes == 0][torch.arange(400) % 170])
    blurred = torch.nn.functional.avg_pool2d(images[order[:400]], 3, 1, 1, count_include_pad=False)
    floor = metric.floor(data)
    assert floor is not None
    assert real < 2 * floor
    assert 30 * real < noise
    assert 30 * real < zeros_only
    assert 5 * real < metric(data, blurred) < noise


@pytest.mark.parametrize("name", NAMES)
def test_resizing_preserves_the_class(name):
    images, classes = digits()
    large = torch.nn.functional.interpolate(images[:300], (28, 28), mode="bicubic", antialias=True).clamp(-1, 1)
    accuracy = (load_shipped(name)(large).argmax(1) == classes[:300]).double().mean()
    assert accuracy > 0.6


def test_features_depend_on_low():
    images = digits()[0][:50]
    features = ClassifierFeatures("digits")
    assert not torch.allclose(features(images), features((images + 1) / 2))


@pytest.mark.parametrize(("shape", "hint"), [((3, 32, 32), "metric=inception"), ((2,), "metric=wasserstein1")])
def test_check_of_unsupported_samples_suggests_metrics(shape, hint):
    with pytest.raises(ValueError, match=hint):
        FrechetDistance(ClassifierFeatures("digits"), 10).check(Given(torch.zeros(4, *shape)))
    FrechetDistance(ClassifierFeatures("digits"), 10).check(Given(torch.zeros(4, 1, 8, 8)))


def test_unknown_weights():
    with pytest.raises(ValueError, match=r"weights=lenet: .*digits"):
        ClassifierFeatures("lenet")
