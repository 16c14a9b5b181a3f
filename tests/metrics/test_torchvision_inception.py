"""torchvision's Inception.

Mistakes: its input transform stays on, wrong range, wrong settings in conf.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from metric_fakes import Given, Pixels, uniform_images

from gansweep.metrics import torchvision_inception
from gansweep.metrics.frechet import FrechetDistance, frechet_distance
from gansweep.metrics.statistics import moments_of
from gansweep.metrics.torchvision_inception import TorchvisionInception
from gansweep.seeding import Streams


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    from torchvision.models import inception_v3

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        net = inception_v3(weights=None, init_weights=False)
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.bias.data.normal_(0.1, 0.1)
                module.running_var = torch.empty(module.num_features).uniform_(0.05, 0.1)
        path = tmp_path_factory.mktemp("weights") / "inception.pth"
        torch.save(net.state_dict(), path)
    return path


def theirs(weights, images) -> tuple[torch.Tensor, torch.Tensor]:
    """Return features and probabilities of torchvision's forward pass."""
    from torchvision.models import inception_v3

    net = inception_v3(weights=None, init_weights=False, transform_input=False)
    net.load_state_dict(torch.load(weights, weights_only=True))
    net.eval()
    pooled = []
    net.avgpool.register_forward_hook(lambda module, inputs, output: pooled.append(output[:, :, 0, 0]))
    with torch.no_grad():
        logits = net(torch.nn.functional.interpolate(images, (299, 299), mode="bilinear", align_corners=False))
    return pooled[0], logits.softmax(1)


@pytest.mark.parametrize("low", [-1.0, -3.0])
def test_features_and_probabilities_equal_those_of_torchvision(weights, low):
    images = uniform_images(2, 1, (3, 20, 20))
    network = TorchvisionInception(str(weights), low)
    # pytorch-fid's 2x - 1 maps [-1, 1] to [-3, 1].
    features, probabilities = theirs(weights, 2 * images - 1 if low == -3 else images)
    np.testing.assert_allclose(network(images), features, rtol=1e-4, atol=1e-5 * features.abs().max().item())
    np.testing.assert_allclose(network.probabilities(images), probabilities, rtol=1e-3, atol=1e-6)


def test_names_contain_the_range():
    assert TorchvisionInception().frechet_name == "fd_torchvision"
    assert TorchvisionInception(low=-3.0).frechet_name == "fd_torchvision_-3"
    assert torchvision_inception.URL.endswith("-0cc3c7bd.pth")


def test_drawing_with_replacement_is_deterministic():
    data, fake = Given(uniform_images(50, 1)), uniform_images(20, 2)
    metric = FrechetDistance(Pixels(), num_samples=20, num_real=40)
    chosen = torch.randint(50, (40,), generator=Streams(0)["replacement"])
    assert len(chosen.unique()) < 40
    expected = frechet_distance(moments_of(data.samples[chosen].flatten(1)), moments_of(fake.flatten(1)))
    assert metric(data, fake) == metric(data, fake) == expected != FrechetDistance(Pixels(), 20)(data, fake)
    assert metric.fingerprint(data)["n_real"] == 40
    assert metric.fingerprint(data)["drawn_with_replacement"]


@pytest.mark.parametrize("settings", [{"low": 1.0}, {"low": float("nan")}, {"batch_size": 0}])
def test_settings_out_of_range(settings):
    ((name, value),) = settings.items()
    with pytest.raises(ValueError, match=f"{name}={value}"):
        TorchvisionInception(**settings)
