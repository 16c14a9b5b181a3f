"""Denoising. Mistakes: another member's noise, training on held-out images, a loss over members, a corruption lost."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from tests.config.test_build_conf import composed

from gansweep.algorithms.denoising import Denoising, DenoisingPack
from gansweep.batched.member import Member, PlayerSettings
from gansweep.batched.pack import PackSettings
from gansweep.config.build import build, check
from gansweep.data.digits import Digits
from gansweep.losses.objective import NoGame, Objective
from gansweep.metrics.psnr import PSNR, held_out
from gansweep.models.unet import UNet
from gansweep.optimizers.adam import Adam
from gansweep.optimizers.sgd import SGD
from gansweep.schedules.constant import Constant
from gansweep.schedules.cosine import Cosine
from gansweep.training.trainer import Interrupted, train

TINY = UNet(base_width=2, code_width=2)
IMAGES = Digits().samples[:60]
ALGORITHM = Denoising(num_test=8)
WORD = ["experiment=forsyth_autoencoder", "device=cpu", "trainer.tensorboard=false", "model.base_width=2"]


def one(seed, rule=None, lr=1e-3, schedule=None, steps=6, **changes):
    player = PlayerSettings(rule or Adam(), lr, schedule or Constant())
    return Member(seed, Objective(NoGame()), player, player, steps, **changes)


CAST = [one(1), one(2, SGD(momentum=0.9), 1e-2), one(3, Adam(), 1e-2, Cosine()), one(1, lr=1e-2, ema=0.9)]


def trained(members, model=TINY, images=IMAGES, batch_size=12):
    pack = DenoisingPack(members, model, images, PackSettings(batch_size=batch_size), algorithm=ALGORITHM)
    for _ in pack.steps():
        pass
    return pack


def assert_same(pack, k, alone):
    one, other = pack.export(k), alone.export(0)
    assert torch.equal(one["generator"]["theta"], other["generator"]["theta"])
    for name, value in other["generator"]["state"].items():
        assert torch.equal(one["generator"]["state"][name], value), name
    assert torch.equal(pack.generate(k, 40, "evaluation"), alone.generate(0, 40, "evaluation"))
    assert pack.measurements(k) == alone.measurements(0)


@pytest.mark.parametrize("skips", ["none", "both"])
def test_alone_in_company_and_at_any_place(skips):
    model = replace(TINY, skips=skips)
    alone = [trained([member], model) for member in CAST]
    for order in ([0, 1, 2, 3], [3, 1, 0]):
        pack = trained([CAST[n] for n in order], model)
        for k, n in enumerate(order):
            assert_same(pack, k, alone[n])


def test_a_step_lowers_the_error_of_a_batch_that_holds_every_corruption():
    """With SGD, theta moves by lr times the gradient of the mean squared error."""
    pack = DenoisingPack([one(1, SGD(), 0.1, steps=1)], TINY, IMAGES, PackSettings(batch_size=12), algorithm=ALGORITHM)
    before = [p.clone().requires_grad_() for p in pack.g.params()]
    twin = DenoisingPack([one(1, SGD(), 0.1, steps=1)], TINY, IMAGES, PackSettings(batch_size=12), algorithm=ALGORITHM)
    target = twin.samples[twin.train[twin.draws.next("order")]]
    spoiled = twin._corrupted(target)
    error = (pack.g.network(before, spoiled) - target).square().mean()
    slopes = torch.autograd.grad(error, before)
    (report,) = pack.steps()
    torch.testing.assert_close(report.loss[0], error.detach())
    for p, start, slope in zip(pack.g.params(), before, slopes, strict=True):
        torch.testing.assert_close(p, start.detach() - 0.1 * slope)
    names = [name for name, _ in pack.corruptions]
    assert names == ["blur", "clean", "gaussian", "knockout", "salt_and_pepper"]
    same = (spoiled == target).flatten(2).all(2)[0].tolist()
    assert [n for n, equal in enumerate(same) if equal and n % 5 == 1] == [1, 6, 11]
    assert not any(same[n] for n in range(12) if n % 5 in (0, 2))


def test_held_out_images_are_never_trained_on():
    pack = trained([one(1)])
    division = held_out(60, 8)
    assert torch.equal(pack.samples[pack.train], IMAGES[division.train])
    assert torch.equal(pack.test, IMAGES[division.test])


def test_what_is_measured_is_of_every_corruption():
    pack = trained([one(1)])
    told = pack.measurements(0)
    names = ("blur", "clean", "gaussian", "knockout", "salt_and_pepper", "all")
    assert {key for key in told if key.startswith("psnr/")} == {f"psnr/{n}{end}" for n in names for end in ("", "/std")}
    assert "given/clean" not in told  # equal to the last bit, all of them
    assert told["given/all/equal"] >= 8
    assert told["given/gaussian"] == pytest.approx(20, abs=1.5)
    own = PSNR(8, 5)(type("Some", (), {"samples": IMAGES})(), pack.generate(0, 40, "evaluation"))
    assert told["psnr/all"] == pytest.approx(own)
    assert told["psnr/all"] == pytest.approx(sum(told[f"psnr/{name}"] for name in names[:-1]) / 5)


@pytest.mark.slow
def test_skip_connections_help_on_digits():
    """The order of the table, none below both, by more than the spread of seeds; the third network needs more steps."""
    decibels = {}
    for skips in ("none", "both"):
        members = [one(0, lr=4e-3, steps=400)]
        pack = DenoisingPack(
            members, UNet(skips=skips), Digits().samples, PackSettings(batch_size=64), algorithm=Denoising()
        )
        for _ in pack.steps():
            pass
        decibels[skips] = pack.measurements(0)["psnr/all"]
    assert decibels["both"] > decibels["none"] + 1.5
    assert decibels["none"] > 16


def run_of(*overrides, steps=6):
    words = [
        *WORD,
        f"steps={steps}",
        "algorithm.num_test=20",
        "metric.num_images=20",
        "trainer.eval_every=2",
        *overrides,
    ]
    return build(composed(*words))


def test_stopped_and_continued(tmp_path):
    run = run_of("trainer.ema=0.9", "optimizer=sgd", "optimizer.momentum=0.9")
    expected = train(run, tmp_path / "straight")
    answers = iter([False, False, True])
    with pytest.raises(Interrupted):
        train(run, tmp_path / "broken", stop=answers.__next__)
    record = train(run, tmp_path / "broken")
    assert record["metric"] == expected["metric"]
    for picture in (tmp_path / "straight" / "samples").iterdir():
        assert picture.read_bytes() == (tmp_path / "broken" / "samples" / picture.name).read_bytes()
    last = json.loads((tmp_path / "broken" / "record.json").read_text())["metric"]["evaluations"][-1]
    assert last["value"] == last["measured"]["psnr/all"]
    assert record["metric"]["lower_is_better"] is False


def test_a_rate_at_which_it_diverges_ends_it(tmp_path):
    record = train(run_of("optimizer=sgd", "lr=1e6", steps=20), tmp_path)
    assert record["divergence"]["player"] == "generator"
    assert record["divergence"]["cause"] == "samples are not finite"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["loss=r1"], "the algorithm has its own, expected ~loss"),
        (["model=mlp"], "maps latents to images, expected a model from images to images: model=unet"),
        (["metric.num_images=100"], "expected metric=psnr with num_images=200"),
        (["algorithm.num_test=1797"], "metric.num_images=1797: digits has 1797, expected at most 1796"),
        (["batch_size=4"], "batch_size=4: expected 5 or more, one image for each corruption"),
        (["lr_d=1e-2"], "there is no discriminator"),
        (["optimizer@optimizer_d=sgd"], "there is no discriminator"),
        (["critic_steps=2"], "critic_steps=2"),
        (["dynamics=simultaneous"], "dynamics=Simultaneous(): only algorithm=adversarial supports this"),
        (["schedule@schedule_critic=linspace"], "schedule_critic=Linspace"),
        (["schedule@schedule_noise=linspace"], "no penalties and no instance noise"),
        (["trainer.compile=true"], "trainer.compile"),
        (["trainer.diagnose_every=2"], "trainer.diagnose_every"),
        (["data=ring"], "unet makes square images"),
    ],
)
def test_what_does_not_fit_is_named(overrides, message):
    model = [] if "model=mlp" in overrides else WORD[3:]
    (problem,) = check(composed(*WORD[:3], *model, *overrides)).problems
    assert message in str(problem)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["~loss"], "loss: must be chosen: loss=..."),
        (["metric=psnr"], "metric=psnr: compares restored images with originals; expected algorithm=denoising"),
        (["model=unet"], "has no discriminator; it is for algorithm=denoising"),
    ],
)
def test_what_does_not_fit_an_adversarial_training_is_named(overrides, message):
    (problem,) = check(composed("device=cpu", *overrides)).problems
    assert message in str(problem)
