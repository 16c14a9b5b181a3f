"""Configurations of CFG: their settings, what is refused, and which cells share a table."""

from __future__ import annotations

import pytest
import torch
from tests.config.test_build_conf import CONF, composed

from gansweep.config.build import build, check
from gansweep.config.keys import shared_in_pack
from gansweep.feedback.plateau import Plateau
from gansweep.schedules.cosine import Cosine
from gansweep.training.trainer import train

TINY = [
    *("algorithm=cfg", "model=dcganx", "model.base_width=2", "model.latent_dim=4", "loss=standard", "device=cpu"),
    *("batch_size=8", "steps=2", "trainer.eval_every=1", "trainer.tensorboard=true", "trainer.log_every=1"),
    *("metric.num_samples=50", "algorithm.num_pushes=2", "algorithm.num_pairs=16", "algorithm.fit_epochs=2"),
]


def built(*overrides):
    return build(composed(*TINY, *overrides))


def curves(directory):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(directory))
    events.Reload()
    return {tag: [point.value for point in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def test_it_trains_and_leaves_curves(tmp_path):
    record = train(built("loss=r1", "algorithm.guard.enabled=true"), tmp_path)
    assert record["state"] == "completed"
    assert record["steps"] == 2
    assert [e["step"] for e in record["metric"]["evaluations"]] == [0, 1, 2]
    found = curves(tmp_path)
    expected = {"loss/discriminator", "loss/generator", "loss/approximator", "pushes/mean move", "logits/real"}
    expected |= {"logits/fake", "approximator/rate reductions", "rate/eta", "rate/generator", "rate/discriminator"}
    assert expected | {"guard/returns", "penalty/r1", "Metric/fd_digits"} <= found.keys()
    assert found["rate/eta"] == pytest.approx([0.5, 0.5])


def test_plateaus_of_the_metric_move_eta_and_both_rates_each_by_its_switch(tmp_path):
    never_better = ["feedback.patience=0", "feedback.threshold=0.9", "steps=3"]
    eta = ["feedback@algorithm.feedback_eta=plateau", "algorithm.feedback_eta.patience=0"]
    train(built("feedback=plateau", *never_better, *eta, "algorithm.feedback_eta.threshold=0.9"), tmp_path / "all")
    train(built(*eta, "algorithm.feedback_eta.threshold=0.9", "steps=3"), tmp_path / "eta")
    everything, alone = curves(tmp_path / "all"), curves(tmp_path / "eta")
    halves = pytest.approx([1, 0.5, 0.25])
    assert [value / 0.5 for value in everything["rate/eta"]] == halves == [v / 0.5 for v in alone["rate/eta"]]
    assert [value / 1e-4 for value in everything["rate/discriminator"]] == halves
    assert [value / 1e-4 for value in everything["rate/generator"]] == halves
    assert alone["rate/generator"] == pytest.approx([1e-4] * 3)


def test_eta_is_a_number_with_a_schedule_like_any():
    run = built("algorithm.eta=1.5", "schedule@algorithm.schedule_eta=cosine")
    assert run.algorithm.eta == 1.5
    assert isinstance(run.algorithm.schedule_eta, Cosine)
    checked = built("feedback@algorithm.feedback_eta=plateau")
    assert isinstance(checked.algorithm.feedback_eta, Plateau)
    assert checked.monitors_metric
    with pytest.raises(ValueError, match="metric=null"):
        line = [one for one in TINY if not one.startswith("metric")]
        build(composed(*line, "feedback@algorithm.feedback_eta=plateau", "~metric"))


def test_cells_that_differ_in_eta_share_a_pack_and_those_that_differ_in_pushes_do_not():
    alike = [composed(*TINY), composed(*TINY, "algorithm.eta=2", "lr=1e-3", "lr_d=1e-5", "seed=3")]
    alike.append(composed(*TINY, "schedule@algorithm.schedule_eta=cosine"))
    alike.append(composed(*TINY, "feedback@algorithm.feedback_eta=plateau"))
    assert all(shared_in_pack(one) == shared_in_pack(alike[0]) for one in alike)
    assert shared_in_pack(composed(*TINY, "algorithm.num_pushes=3")) != shared_in_pack(alike[0])
    assert shared_in_pack(composed(*TINY, "algorithm.guard.enabled=true")) != shared_in_pack(alike[0])


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["model=mlp", "~model.base_width"], "model=MLP"),
        (["dynamics=extragradient"], "dynamics=ExtraGradient"),
        (["dynamics.generator_steps=2"], "dynamics=Alternating"),
        (["loss=rpgan"], "loss.game=RelativisticPairing"),
        (["loss=wgan"], "loss.clip=0.01"),
        (["trainer.ema=0.9"], "trainer.ema=0.9"),
        (["trainer.compile=true"], "trainer.compile=true"),
        (["algorithm.eta=-1"], "eta=-1"),
        (["algorithm.etta=1"], "eta"),
        (["feedback@algorithm.feedback_eta=gap_aware"], "feedback_eta=GapAware"),
        (["schedule@algorithm.schedule_eta=warmup", "algorithm.schedule_eta.length=9"], "algorithm.schedule_eta"),
        (["algorithm.guard.window=0"], "window=0"),
    ],
)
def test_what_does_not_fit_is_said(overrides, said):
    line = [one for one in TINY if not (overrides[0] == "model=mlp" and one.startswith("model"))]
    strict = [one for one in overrides if not one.startswith("~") and one != "algorithm.etta=1"]
    config = composed(*line, *strict)
    if "algorithm.etta=1" in overrides:
        config["algorithm"]["etta"] = 1
    found = [str(problem) for problem in check(config).problems]
    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize("path", sorted((CONF / "experiment/cfg").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_authors_settings(path):
    """Settings of each data set: rate, T, eta, and the numbers of parameters for images of the authors' size."""
    config = composed(f"experiment=cfg/{path.stem}", *(["data.root=."] if path.stem != "base" else []))
    checked = check(config)
    assert not [str(one) for one in checked.problems if "unknown" in str(one) or "_target_" in str(one)]
    box, model = checked.parts["algorithm"], checked.parts["model"]
    wanted = {  # lr, T, eta, shape, (G, D)
        "base": (2.5e-4, 15, 0.5, None, None),
        "mnist": (2.5e-4, 15, 0.5, (1, 32, 32), (469_345, 280_513)),
        "mnist_without_norm": (2.5e-4, 15, 2.5, (1, 32, 32), (468_961, 279_745)),
        "mnist_icml": (2.5e-4, 10, 1.0, (1, 32, 32), (469_345, 280_513)),
        "mnist_fc": (1e-4, 25, 0.1, (1, 32, 32), (839_680, 280_513)),
        "cifar10": (2.5e-4, 15, 0.25, (3, 32, 32), (1_464_131, 1_117_185)),
        "cifar10_without_norm": (2.5e-4, 15, 0.5, (3, 32, 32), (1_463_363, 1_115_649)),
        "cifar10_fc": (1e-4, 25, 0.5, (3, 32, 32), (1_890_304, 1_117_185)),
        "lsun": (2.5e-4, 15, 1.0, (3, 64, 64), (3_403_459, 2_544_833)),
    }[path.stem]
    lr, num_pushes, eta, shape, sizes = wanted
    assert (config["lr"], config["lr_d"], box.num_pushes, box.eta) == (lr, lr, num_pushes, eta)
    assert (box.num_pairs, box.fit_epochs, box.fit_decay, box.max_fit_decays) == (640, 10, 0.1, 3)
    assert (config["steps"], config["batch_size"], checked.config["critic_steps"]) == (10_000, 64, 1)
    assert (checked.parts["optimizer"].alpha, checked.parts["optimizer"].eps) == (0.95, 1e-18)
    assert box.pool == (path.stem == "mnist_icml")
    if shape is not None:
        assert (model.generator(shape).num_parameters, model.discriminator(shape).num_parameters) == sizes


def test_both_sides_of_the_comparison_have_the_same_networks():
    for data in ("mnist", "cifar10"):
        cfg, wgan = (composed(f"experiment=cfg_vs_wgangp/{data}_{name}", "data.root=.") for name in ("cfg", "wgan_gp"))
        assert cfg["model"] == wgan["model"]
        assert cfg["metric"] == wgan["metric"]
        assert cfg["data"] == wgan["data"]
        assert not cfg["model"]["batch_norm_discriminator"]
        assert cfg["model"]["batch_norm_generator"]
        assert cfg["algorithm"]["_target_"].endswith("CFG")
        assert "Adversarial" in wgan["algorithm"]["_target_"]
        assert cfg["name"] == wgan["name"] == "cfg_vs_wgangp"


@pytest.fixture(autouse=True)
def as_many_threads_as_before():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
