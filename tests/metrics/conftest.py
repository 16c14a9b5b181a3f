import pytest
import torch

from gansweep.metrics import cache


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GANSWEEP_CACHE", str(tmp_path / "cache"))
    cache.forget()
    yield tmp_path / "cache"
    cache.forget()


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """Write random weights, with batch statistics for which no layer is constant."""
    from torchvision.models import inception_v3

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = inception_v3(weights=None, num_classes=1008, aux_logits=False, init_weights=False)
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.bias.data.normal_(0.1, 0.1)
                module.running_mean = torch.empty(module.num_features).normal_(0, 0.01)
                module.running_var = torch.empty(module.num_features).uniform_(0.05, 0.1)
        # The 1x1 convolutions after the pools have the same shapes in the files of pytorch-fid and
        # torchvision.
        path = tmp_path_factory.mktemp("weights") / "inception.pth"
        torch.save(net.state_dict(), path)
    return path
