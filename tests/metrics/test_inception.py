"""Inception features.

Mistakes: other resizing, range, pooling or blocks than pytorch-fid; unhelpful messages.
"""

from __future__ import annotations

import hashlib
import json
from urllib.error import URLError

import numpy as np
import pytest
import torch
from metric_fakes import Given, uniform_images

from gansweep.metrics import inception, torchvision_inception
from gansweep.metrics.frechet import FrechetDistance
from gansweep.metrics.inception import InceptionFeatures
from gansweep.metrics.torchvision_inception import TorchvisionInception


def textures(count: int, side: int, seed: int) -> torch.Tensor:
    """Return colour images with edges and smooth regions, in [-1, 1]."""
    g = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 5, 5, generator=g)
    smooth = torch.nn.functional.interpolate(coarse, (side, side), mode="bicubic").clamp(0, 1)
    return torch.where(torch.rand(count, 1, side, side, generator=g) < 0.1, 1 - smooth, smooth) * 2 - 1


def theirs(weights, images, dims, monkeypatch) -> np.ndarray:
    """Return the features of pytorch-fid with the weights of the same file."""
    from pytorch_fid import inception as original

    monkeypatch.setattr(original, "load_state_dict_from_url", lambda *_, **__: torch.load(weights, weights_only=True))
    model = original.InceptionV3([original.InceptionV3.BLOCK_INDEX_BY_DIM[dims]]).eval()
    with torch.no_grad():
        out = model((images + 1) / 2)[0]
    return torch.nn.functional.adaptive_avg_pool2d(out, 1)[:, :, 0, 0].numpy()


@pytest.mark.parametrize("dims", [64, 192, pytest.param(768, marks=pytest.mark.slow), 2048])
def test_features_equal_those_of_pytorch_fid(weights, dims, monkeypatch):
    images = textures(2, 48, 1)
    expected = theirs(weights, images, dims, monkeypatch)
    features = InceptionFeatures(str(weights), dims)(images).numpy()
    assert features.shape == (2, dims)
    assert expected.std() > 1e-3
    np.testing.assert_allclose(features, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


@pytest.mark.slow
def test_distance_equals_that_of_pytorch_fid(weights, monkeypatch):
    from pytorch_fid.fid_score import calculate_frechet_distance

    real, fake = textures(90, 24, 1), textures(80, 24, 2)[:, [1, 0, 2]] * 0.8
    a, b = (theirs(weights, images, 64, monkeypatch).astype(float) for images in (real, fake))
    expected = calculate_frechet_distance(a.mean(0), np.cov(a, rowvar=False), b.mean(0), np.cov(b, rowvar=False))
    metric = FrechetDistance(InceptionFeatures(str(weights), 64), num_samples=80)
    assert metric(Given(real), fake) == pytest.approx(expected, rel=1e-5)


def test_grey_images_are_repeated_to_three_channels(weights):
    grey = textures(2, 32, 3)[:, :1]
    features = InceptionFeatures(str(weights), 64)
    assert torch.equal(features(grey), features(grey.repeat(1, 3, 1, 1)))


def test_loading_draws_nothing_and_uses_running_statistics(weights):
    inception.network.cache_clear()
    before, features, images = torch.get_rng_state(), InceptionFeatures(str(weights), 64), textures(2, 32, 3)
    both = features(images)
    assert torch.equal(torch.get_rng_state(), before)
    torch.testing.assert_close(features(images[1:])[0], both[1], rtol=1e-4, atol=1e-5)


def test_fingerprint_contains_the_weights_and_the_layer(weights):
    prints = {json.dumps(InceptionFeatures(str(weights), dims).fingerprint()) for dims in inception.LAST_BLOCK}
    assert len(prints) == len(inception.LAST_BLOCK)
    sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert InceptionFeatures(str(weights)).fingerprint()["sha256"] == sha256


def test_only_pool3_is_named_fid():
    assert InceptionFeatures().frechet_name == "fid_inception"
    assert InceptionFeatures(dims=64).frechet_name == "fd_inception_64"


@pytest.fixture
def no_network(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def unreachable(*args, **kwargs):
        raise URLError("no route to host")

    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    for module in (inception, torchvision_inception):
        monkeypatch.setattr(module, "network", lambda *_: pytest.fail("built without weights"))
    return tmp_path


@pytest.mark.parametrize(
    ("features", "url"),
    [(InceptionFeatures(), inception.URL), (TorchvisionInception(), torchvision_inception.URL)],
    ids=["pytorch-fid", "torchvision"],
)
def test_missing_weights_are_reported_before_training(no_network, features, url):
    with pytest.raises(ValueError, match="could not be downloaded") as error:
        FrechetDistance(features).check(Given(uniform_images(4, 1, (3, 8, 8))))
    for part in ("no route to host", url, str(no_network), "metric.features.weights", "metric=digits"):
        assert part in str(error.value)


def test_path_without_a_file(no_network):
    with pytest.raises(ValueError, match=r"weights=/nowhere/w\.pth: no such file"):
        InceptionFeatures("/nowhere/w.pth").check((3, 8, 8))


def test_weights_in_torch_home_need_no_network(no_network):
    path = no_network / "hub" / "checkpoints" / inception.URL.rsplit("/", 1)[1]
    path.parent.mkdir(parents=True)
    path.write_bytes(b"weights")
    assert InceptionFeatures().file() == path


@pytest.mark.parametrize("content", ["another network", "a list", "text", "nothing"])
@pytest.mark.parametrize("features", [InceptionFeatures, TorchvisionInception])
def test_wrong_file_is_reported_before_training(tmp_path, features, content):
    path = tmp_path / "other.pth"
    if content in ("another network", "a list"):
        torch.save({"weight": torch.zeros(3)} if content == "another network" else [1], path)
    else:
        path.write_text("text" if content == "text" else "")
    with pytest.raises(ValueError, match=rf"weights={path}: does not hold .*Inception"):
        features(str(path)).check((3, 8, 8))


@pytest.mark.parametrize("shape", [(2,), (4, 8, 8)])
def test_unsupported_samples(shape, weights):
    with pytest.raises(ValueError, match="the network inception reads images"):
        InceptionFeatures(str(weights)).check(shape)


@pytest.mark.parametrize("settings", [{"dims": 100}, {"batch_size": 0}])
def test_settings_out_of_range(settings):
    ((name, value),) = settings.items()
    with pytest.raises(ValueError, match=f"{name}={value}"):
        InceptionFeatures(**settings)
