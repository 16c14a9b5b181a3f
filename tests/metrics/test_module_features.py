"""Features of a user's torch module: preparation of the images, fingerprint, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from metric_fakes import Given
from safetensors.torch import save_file
from tests.config.test_build_conf import composed
from tests.metrics import feature_nets as nets

from gansweep.config.build import check
from gansweep.metrics.frechet import FrechetDistance
from gansweep.metrics.kid import KernelDistance
from gansweep.metrics.module_features import ModuleFeatures
from gansweep.metrics.thumbnail_features import ThumbnailFeatures
from gansweep.user_code import Factory


def images(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_images_are_mapped_resized_and_normalised_in_this_order():
    x = images(4, 3, 8, 8)
    features = ModuleFeatures(Factory(nets.Pixels), size=4, mean=(0.1, 0.2, 0.3), std=(0.5, 0.6, 0.7))
    resized = torch.nn.functional.interpolate((x + 1) / 2, (4, 4), mode="bilinear", antialias=True)
    mean, std = torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0.5, 0.6, 0.7])
    expected = (resized - mean[:, None, None]) / std[:, None, None]
    assert torch.allclose(features(x), expected.flatten(1), atol=1e-6)


def test_grey_images_are_repeated_and_the_range_is_chosen():
    x = images(4, 1, 8, 8)
    features = ModuleFeatures(Factory(nets.Mean), channels=3, low=-1.0, high=3.0)
    assert torch.allclose(features(x), (2 * x + 1).mean((2, 3)).expand(-1, 3), atol=1e-6)


def test_distances_are_those_of_the_same_features_without_a_module(tmp_path, monkeypatch):
    """Pixels of a module, and the thumbnail of the size of the images."""
    monkeypatch.setenv("GANSWEEP_CACHE", str(tmp_path))
    data, fake = Given(images(200, 1, 4, 4)), images(50, 1, 4, 4, seed=1) * 0.5
    pixels, thumbnail = ModuleFeatures(Factory(nets.Pixels), low=-1.0), ThumbnailFeatures(4)
    values = [FrechetDistance(features, 50)(data, fake) for features in (pixels, thumbnail)]
    assert values[0] == pytest.approx(values[1], rel=1e-5)
    assert KernelDistance(pixels, 50, 5, 20)(data, fake) == pytest.approx(
        KernelDistance(thumbnail, 50, 5, 20)(data, fake)
    )
    assert FrechetDistance(pixels, 50).name == "fd_Pixels"


def test_values_are_those_of_seed_0_or_of_a_file(tmp_path):
    state = torch.random.get_rng_state()
    first = ModuleFeatures(Factory(nets.Embed))
    torch.manual_seed(0)
    expected = nets.Embed().eval()
    x = images(5, 1, 8, 8)
    assert torch.equal(first(x), expected((x + 1) / 2))
    torch.random.set_rng_state(state)
    network = nets.Embed()
    save_file(network.state_dict(), tmp_path / "a.safetensors")
    torch.save(network.state_dict(), tmp_path / "a.pt")
    of_files = [ModuleFeatures(Factory(nets.Embed), str(tmp_path / name)) for name in ("a.safetensors", "a.pt")]
    assert torch.equal(of_files[0](x), network.eval()((x + 1) / 2))
    assert of_files[0].fingerprint() == of_files[1].fingerprint() != first.fingerprint()


def test_the_fingerprint_contains_values_code_and_preparation(tmp_path, monkeypatch):
    """An edited class or buffer is another network: the statistics of the data are not taken from the cache."""
    prints = [
        ModuleFeatures(Factory(nets.Embed)),
        ModuleFeatures(Factory(nets.Embed, {"num_features": 5})),
        ModuleFeatures(Factory(nets.Embed), mean=(0.5,)),
        ModuleFeatures(Factory(nets.Embed), size=4),
        ModuleFeatures(Factory(nets.Mean)),
    ]
    assert len({json.dumps(features.fingerprint()) for features in prints}) == len(prints)
    source = Path(str(nets.__file__)).read_text()
    (tmp_path / "edited_embed.py").write_text(source.replace("0.5, self.training", "0.4, self.training"))
    monkeypatch.syspath_prepend(str(tmp_path))
    import edited_embed  # pyright: ignore[reportMissingImports]

    edited = ModuleFeatures(Factory(edited_embed.Embed)).fingerprint()
    assert edited["sha256"] == prints[0].fingerprint()["sha256"]
    (one,), (other,) = edited["code"].values(), [prints[0].fingerprint()["code"]["tests.metrics.feature_nets"]]
    assert one != other


@pytest.mark.parametrize(
    ("made", "shape", "words"),
    [
        (lambda: ModuleFeatures(Factory(nets.Random)), (1, 8, 8), "features differ between two passes"),
        (lambda: ModuleFeatures(Factory(nets.NotFinite)), (1, 8, 8), "features are not finite"),
        (lambda: ModuleFeatures(Factory(nets.WithoutBatch)), (1, 8, 8), r"output is \(\), expected \(2, D\)"),
        (lambda: ModuleFeatures(Factory(nets.Raises)), (1, 8, 8), r"feature_nets.py:\d+: 'Raises' object has no"),
        (lambda: ModuleFeatures(Factory(nets.Embed)), (3, 8, 8), "expected input.* to have 1 channels"),
        (lambda: ModuleFeatures(Factory(nets.Embed)), (2,), "reads images"),
        (lambda: ModuleFeatures(Factory(nets.Embed), channels=1), (3, 8, 8), "^channels=1: the images have 3"),
        (lambda: ModuleFeatures(Factory(nets.Embed), mean=(0.1, 0.2, 0.3)), (1, 8, 8), r"^mean=\[0.1, 0.2, 0.3\]: "),
        (lambda: ModuleFeatures(Factory(nets.Embed), "nowhere.pt"), (1, 8, 8), "^features.weights=nowhere.pt: no such"),
        (lambda: ModuleFeatures(Factory(nets.Embed), nets.__file__), (1, 8, 8), "is not a state_dict of"),
        (lambda: ModuleFeatures(Factory(nets.Embed), low=2.0), (1, 8, 8), "^low=2.0: expected less than high"),
        (lambda: ModuleFeatures(Factory(nets.Embed), std=(0.0,)), (1, 8, 8), r"^std=\[0.0\]: expected numbers above 0"),
        (lambda: ModuleFeatures(Factory(nets.Embed), size=0), (1, 8, 8), "^size=0: expected at least 1"),
        (lambda: ModuleFeatures(Factory(dict)), (1, 8, 8), "^module=builtins.dict: expected a subclass"),
    ],
)
def test_a_mistake_is_named_before_training(made, shape, words):
    with pytest.raises(ValueError, match=words):
        made().check(shape)


NETS = "allow=[tests.metrics.feature_nets]"


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("Raises", "metric.features.module=tests.metrics.feature_nets.Raises: "),
        ("Nothing", "metric.features.module._target_: tests.metrics.feature_nets.Nothing can't be imported"),
        ("Embed", ""),
    ],
)
def test_settings_name_the_module(module, words):
    chosen = [f"metric.features.module=tests.metrics.feature_nets.{module}", NETS]
    problems = [str(problem) for problem in check(composed("metric=module", *chosen)).problems]
    assert [text for text in problems if text.startswith(words)] == problems
    assert bool(problems) == bool(words)
