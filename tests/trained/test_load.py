"""gansweep.load. Mistakes: raw weights for averaged ones, another cell, other latents, code from a stored config."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch
from tests.trained.conftest import SMALL
from tests.typed import typed
from torch import nn

import gansweep
from gansweep.data.digits import Digits
from gansweep.export import main as export
from gansweep.metrics.classifier_features import ClassifierFeatures
from gansweep.metrics.frechet import FrechetDistance
from gansweep.sweep.identity import digest

ONE = ("optimizer=adam", "seed=1")


def test_samples_with_the_latents_of_evaluations_give_the_value_of_the_record(outputs):
    pair = gansweep.load(outputs / "averaged", *ONE)
    metric = FrechetDistance(ClassifierFeatures("digits"), num_samples=16)
    value = metric(Digits(), pair.sample(16))
    assert value == pytest.approx(pair.record["metric"]["final"], rel=1e-4)
    assert pair.record["metric"]["generator"] == "ema"
    raw = gansweep.load(outputs / "averaged", *ONE, raw=True)
    assert metric(Digits(), raw.sample(16)) != pytest.approx(value, rel=1e-4)


def test_the_modules_have_the_weights_of_the_checkpoint(outputs):
    pair = gansweep.load(outputs / "averaged", *ONE)
    raw = gansweep.load(outputs / "averaged", *ONE, raw=True)
    member = torch.load(pair.result.cell.directory / "checkpoint.pt", weights_only=True)["member"]

    def row(module):
        return torch.cat([p.detach().flatten() for p in module.parameters()])

    assert torch.equal(row(pair.generator), member["ema"])
    assert torch.equal(row(raw.generator), member["generator"]["theta"])
    assert torch.equal(row(pair.discriminator), member["discriminator"]["theta"])
    assert type(pair.generator) is nn.Sequential
    assert pair.step == 4
    assert not pair.generator.training
    assert pair.config["optimizer"]["_target_"] == "gansweep.optimizers.adam.Adam"
    assert set(pair.state_dict()) == {
        f"{player}.{name}" for player in ("generator", "discriminator") for name in getattr(pair, player).state_dict()
    }


def test_latents_and_samples_depend_on_the_seed_only(outputs):
    pair = gansweep.load(outputs / "averaged", *ONE)
    assert pair.latents(5, seed=3).shape == (5, 4)
    assert torch.equal(pair.sample(5, seed=3), pair.outputs(pair.latents(5, seed=3)))
    torch.testing.assert_close(pair.sample(5, seed=3), pair.sample(5, seed=3, batch_size=2))
    assert not torch.equal(pair.latents(5, seed=3), pair.latents(5, seed=4))
    torch.manual_seed(1)
    before = torch.get_rng_state()
    pair.sample(2)
    assert torch.equal(before, torch.get_rng_state())


def test_interpolation_follows_a_great_circle(outputs):
    pair = gansweep.load(outputs / "averaged", *ONE)
    a, b = torch.tensor([2.0, 0, 0, 0]), torch.tensor([0, 2.0, 0, 0])
    middle = torch.tensor([2**0.5, 2**0.5, 0, 0])
    torch.testing.assert_close(pair.interpolate(a, b, 3), pair.outputs(torch.stack([a, middle, b])))
    torch.testing.assert_close(pair.interpolate(a, 3 * a, 3), pair.outputs(torch.stack([a, 2 * a, 3 * a])))


def test_schedule_free_parameters_for_evaluation(outputs):
    typed(outputs.parent, ["name=free", "optimizer=schedule_free_adamw", *SMALL])
    pair, raw = (gansweep.load(outputs / "free", raw=raw) for raw in (False, True))
    for player in ("generator", "discriminator"):
        evaluated, trained = getattr(pair, player).state_dict(), getattr(raw, player).state_dict()
        assert all(not torch.equal(evaluated[name], trained[name]) for name in evaluated)


def test_weights_of_the_best_evaluation(outputs):
    typed(outputs.parent, ["name=kept", "trainer.keep=best", "lr=0.3", *SMALL])
    best, final = (gansweep.load(outputs / "kept", which=which) for which in ("best", "final"))
    assert (best.step, final.step) == (best.record["metric"]["best_step"], 4)
    metric = FrechetDistance(ClassifierFeatures("digits"), num_samples=16)
    assert metric(Digits(), best.sample(16)) == pytest.approx(best.record["metric"]["best"], rel=1e-4)
    for path in (outputs / "averaged").glob("*/record.json"):  # trainer.keep=last
        if json.loads(path.read_text())["metric"]["best_step"] == 4:
            assert gansweep.load(path.parent, which="best").step == 4
        else:
            with pytest.raises(ValueError, match="best evaluation were not kept; expected .* trainer.keep=best"):
                gansweep.load(path.parent, which="best")


def test_conditional_networks(outputs):
    typed(outputs.parent, ["name=labels", "model.conditional=true", *SMALL])
    pair = gansweep.load(outputs / "labels")
    metric = FrechetDistance(ClassifierFeatures("digits"), num_samples=16)
    assert metric(Digits(), pair.sample(16)) == pytest.approx(pair.record["metric"]["final"], rel=1e-4)
    z, threes = pair.latents(5, seed=1), torch.full((5,), 3)
    torch.testing.assert_close(pair.sample(5, seed=1, labels=threes), pair.generator(z, threes).detach())
    assert not torch.equal(pair.sample(5, seed=1, labels=threes), pair.sample(5, seed=1, labels=threes + 1))
    torch.testing.assert_close(pair.interpolate(z[0], z[1], 3, label=3)[2:], pair.generator(z[1:2], threes[:1]))
    assert pair.discriminator(pair.sample(5), threes).shape == (5, 1)
    with pytest.raises(ValueError, match="not conditional; expected no labels"):
        gansweep.load(outputs / "averaged", *ONE).sample(5, labels=threes)
    assert export(["outputs/labels", "--out", "g.pt2"]) == 0
    torch.testing.assert_close(torch.export.load("g.pt2").module()(z, threes), pair.generator(z, threes))


NETS = """
from torch import nn

class Generator(nn.Sequential):
    latent_dim = 4
    def __init__(self):
        super().__init__(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))

class Discriminator(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Flatten(), nn.utils.parametrizations.spectral_norm(nn.Linear(64, 1)))
"""


@pytest.mark.parametrize("norm", ["batch_norm_discriminator", "spectral_norm"])
def test_samples_of_functional_gradients_are_those_of_the_evaluations(tmp_path, monkeypatch, norm):
    """Mistakes: samples of the approximator after its fit, without the steps, or with running statistics of D."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANSWEEP_CACHE", str(tmp_path / "cache"))
    line = ["name=cfg", "model=dcganx", "model.base_width=4", "model.depth=1", f"model.{norm}=true"]
    line += [
        "lr=1e-2",
        "algorithm=cfg",
        "loss=standard",
        "algorithm.eta=20",
        "algorithm.num_pushes=3",
        "algorithm.num_pairs=32",
        "trainer.keep=best",
    ]
    small = [word for word in SMALL if not word.startswith("model.")]
    cell = typed(tmp_path, [*line, "model.latent_dim=4", *small]) / "cfg"
    pair = gansweep.load(cell)
    metric = FrechetDistance(ClassifierFeatures("digits"), num_samples=16)
    assert metric(Digits(), pair.sample(16)) == pytest.approx(pair.record["metric"]["final"], rel=1e-3)
    assert pair.sample(5).abs().max() <= 1
    with torch.no_grad():
        approximated = pair.generator(pair.latents(16))
    assert (pair.sample(16) - approximated).abs().max() > 0.05
    assert torch.equal(pair.sample(16), pair.sample(16))
    best = gansweep.load(cell, which="best")
    assert metric(Digits(), best.sample(16)) == pytest.approx(pair.record["metric"]["best"], rel=1e-3)


def test_cells_with_the_earlier_conditional_generator_are_refused(outputs):
    typed(outputs.parent, ["name=labels", "model.conditional=true", *SMALL])
    (path,) = (outputs / "labels").glob("*/record.json")
    content = json.loads(path.read_text())
    del content["sha256"]
    content["identity"]["numerics"] = "4"
    content["cell"]["hash"] = digest(content["identity"])
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="another conditional generator; train it again"):
        gansweep.load(path.parent)


def test_modules_of_a_user(outputs, tmp_path, monkeypatch):
    (tmp_path / "loaded_nets.py").write_text(NETS)
    monkeypatch.syspath_prepend(str(tmp_path))
    classes = [f"model.{name.lower()}=loaded_nets.{name}" for name in ("Generator", "Discriminator")]
    rest = [word for word in SMALL if not word.startswith("model.")]
    typed(tmp_path, ["name=modules", "model=modules", *classes, "allow=[loaded_nets]", *rest])
    with pytest.raises(ValueError, match=r"allow=\[loaded_nets\]"):
        gansweep.load(outputs / "modules")
    pair = gansweep.load(outputs / "modules", allow=["loaded_nets"])
    assert type(pair.generator).__name__ == "Generator"
    metric = FrechetDistance(ClassifierFeatures("digits"), num_samples=16)
    assert metric(Digits(), pair.sample(16)) == pytest.approx(pair.record["metric"]["final"], rel=1e-4)
    logits = pair.discriminator(pair.sample(3))
    assert logits.shape == (3, 1)
    assert export(["outputs/modules", "--out", "g.pt2", "--allow", "loaded_nets"]) == 0
    z = pair.latents(3, seed=1)
    torch.testing.assert_close(torch.export.load("g.pt2").module()(z), pair.generator(z))


def test_loading_does_not_read_the_data_set(outputs, monkeypatch):
    monkeypatch.setattr(Digits, "samples", property(lambda self: pytest.fail("read")))
    assert gansweep.load(outputs / "averaged", *ONE).sample_shape == (1, 8, 8)


def test_unknown_weights_and_numbers(outputs):
    with pytest.raises(ValueError, match="which=newest: expected"):
        gansweep.load(outputs / "averaged", *ONE, which="newest")
    pair = gansweep.load(outputs / "averaged", *ONE)
    for call in (
        lambda: pair.sample(0),
        lambda: pair.sample(3, batch_size=0),
        lambda: pair.interpolate(*pair.latents(2), 1),
    ):
        with pytest.raises(ValueError, match="=[01]: expected"):
            call()


def test_importing_the_package_does_not_import_torch():
    code = "import gansweep, sys; assert 'torch' not in sys.modules; gansweep.load; assert 'torch' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        gansweep.lode  # noqa: B018
