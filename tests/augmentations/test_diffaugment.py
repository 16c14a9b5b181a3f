"""DiffAugment against plain loops over images, in packs, and through second-order penalties."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.config.test_build_conf import composed
from tests.training.small import Shapes, member, small_mlp
from torch.nn.functional import leaky_relu, linear, pad

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.augmentations.diffaugment import DiffAugment
from gansweep.batched.pack import PackSettings
from gansweep.config.build import build, check
from gansweep.dynamics.competitive import Competitive
from gansweep.losses.objective import Objective
from gansweep.losses.relativistic_pairing import RelativisticPairing
from gansweep.losses.standard import Standard
from gansweep.losses.wasserstein import Wasserstein
from gansweep.penalties.r1 import R1
from gansweep.penalties.wgan_gp import WGANGP
from gansweep.sweep.identity import digest, training_config


def plain(image, u, policy, translation=0.125, cutout=0.5):
    """One image (C, H, W), step by step, by slices instead of index tensors."""
    u = u.tolist()
    channels, height, width = image.shape
    for name in policy:
        if name == "color":
            brightness, saturation, contrast = (u.pop(0) for _ in range(3))
            image = image + brightness - 0.5
            grey = sum(image[c] for c in range(channels)) / channels
            image = torch.stack([grey + 2 * saturation * (image[c] - grey) for c in range(channels)])
            level = image.sum() / image.numel()
            image = level + (0.5 + contrast) * (image - level)
        if name == "translation":
            most = [int(side * translation + 0.5) for side in (height, width)]
            dy, dx = (int(u.pop(0) * (2 * n + 1)) - n for n in most)
            padded = pad(image, (most[1], most[1], most[0], most[0]))
            image = padded[:, most[0] + dy : most[0] + dy + height, most[1] + dx : most[1] + dx + width]
        if name == "cutout":
            sides = [int(side * cutout + 0.5) for side in (height, width)]
            y, x = (int(u.pop(0) * (n + 1 - side % 2)) for n, side in zip((height, width), sides, strict=True))
            mask = torch.ones(height, width, dtype=image.dtype)
            top, left = y - sides[0] // 2, x - sides[1] // 2
            mask[max(top, 0) : max(top + sides[0], 0), max(left, 0) : max(left + sides[1], 0)] = 0
            image = image * mask
    return image


@pytest.mark.parametrize(
    "policy", [("color",), ("translation",), ("cutout",), ("cutout", "color", "translation")], ids=",".join
)
@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 7, 7)], ids=str)
def test_every_image_is_that_of_plain_loops(policy, shape):
    """Mistakes: rows and columns exchanged, the contrast of the whole batch, a square that wraps around."""
    augment = DiffAugment(policy, translation_ratio=0.3)
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(2, 40, *shape, generator=generator) * 2 - 1
    u = torch.rand(2, 40, augment.num_draws, generator=generator)
    u[0, 0], u[0, 1] = 0, 1 - 2**-24
    expected = [[plain(images[k, b], u[k, b], policy, translation=0.3) for b in range(40)] for k in range(2)]
    torch.testing.assert_close(augment(images, u), torch.stack([torch.stack(row) for row in expected]))


def test_derivatives_of_first_and_second_order_are_exact():
    augment, u = DiffAugment(), torch.rand(1, 2, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    images = torch.rand(1, 2, 1, 5, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: augment(x, u), images)
    assert torch.autograd.gradgradcheck(lambda x: augment(x, u).pow(3), images)


ALL = DiffAugment()
CAST = [
    member(1, objective=Objective(Wasserstein(), {"gp": WGANGP(weight=10.0)}), augment=ALL),
    member(2, augment=DiffAugment(("translation",))),
    member(3),
    member(4, objective=Objective(RelativisticPairing(Standard()), {"r1": R1(weight=2.0)}), augment=ALL),
    member(5, augment=ALL),
]


def pack_of(members, critic_steps=2, steps=4, **settings):
    members = [replace(one, steps=steps) for one in members]
    settings = {"critic_steps": critic_steps, **settings}
    size = PackSettings(batch_size=10)
    return AdversarialPack(members, small_mlp(dropout=0.0), Shapes().samples, size, **settings)


def trained(members, **settings):
    pack = pack_of(members, **settings)
    for _ in pack.steps():
        pass
    return pack


def theta(pack, k):
    saved = pack.export(k)
    return torch.cat([saved["generator"]["theta"], saved["discriminator"]["theta"]])


@pytest.mark.parametrize("settings", [{}, {"dynamics": Competitive(), "critic_steps": 1}], ids=str)
def test_members_with_different_policies_are_independent(settings):
    """Mistake: draws of one member's policy that shift those of another one."""
    torch.set_num_threads(1)
    order = [3, 1, 4, 2, 0]
    pack = trained([CAST[n] for n in order], **settings)
    for k, n in enumerate(order):
        assert torch.equal(theta(pack, k), theta(trained([CAST[n]], **settings), 0)), n


def test_without_augmentation_nothing_changes():
    """A member in a pack with augmented members has the numbers of a pack without augmentation."""
    alone = pack_of([CAST[2]])
    assert "augment" not in alone.draws
    with_augment = trained([replace(CAST[2], augment=ALL)])
    assert not torch.equal(theta(with_augment, 0), theta(trained([CAST[2]]), 0))


def critic(pack, x):
    saved, h = pack.d.network.state_dict(pack.d.theta), x.flatten(1)
    for name in ("1", "4"):
        h = leaky_relu(linear(h, saved[f"{name}.weight"], saved[f"{name}.bias"]), 0.2)
    return linear(h, saved["7.weight"], saved["7.bias"])[:, 0]


@pytest.mark.parametrize("penalty", [WGANGP(weight=10.0), R1(weight=2.0)], ids=str)
def test_both_losses_are_those_of_augmented_samples(penalty):
    """Mistakes: only real samples are augmented, or the penalty is at the samples before augmentation."""
    one = member(7, objective=Objective(Wasserstein(), {"p": penalty}), augment=ALL)
    pack = trained([one], critic_steps=1, steps=1)
    given = pack.separate_inputs("test/")
    fake = pack.g.network(pack.g.params(), given.z)[0]
    seen = [
        torch.stack([plain(image, u, ALL.policy) for image, u in zip(images, drawn[0][0], strict=True)])
        for images, drawn in ((given.real[0], given.real_augment), (fake, given.fake_augment))
    ]
    points = penalty.points(seen[0][None], seen[1][None], given.penalties[0].u[0])[0].detach().requires_grad_()
    gradient = torch.autograd.grad(critic(pack, points).sum(), points)[0]
    expected = critic(pack, seen[1]).mean() - critic(pack, seen[0]).mean()
    expected = expected + penalty.weight * penalty.score(gradient[None])[0].mean()
    joint = pack.game(given, read_only=True)
    loss_g, loss_d = joint.losses(joint.here())
    torch.testing.assert_close(loss_d, expected.detach(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(loss_g, -critic(pack, seen[1]).mean(), rtol=1e-5, atol=1e-6)


def test_a_run_resumes_bit_for_bit():
    whole, (first, second) = trained([CAST[0]], steps=6), (pack_of([CAST[0]], steps=6) for _ in range(2))
    for _, _ in zip(range(3), first.steps(), strict=False):
        pass
    second.restore(0, first.export(0))
    for _ in second.steps():
        pass
    assert torch.equal(theta(second, 0), theta(whole, 0))


def test_default_keeps_the_identity():
    plain_config, augmented = (check(composed(*extra)) for extra in ([], ["augment=diffaugment"]))
    assert plain_config.problems == augmented.problems == []
    assert "augment" not in plain_config.config
    assert plain_config.run.member.augment is None
    assert augmented.run.member.augment == DiffAugment()
    assert digest(training_config(plain_config.config)) != digest(training_config(augmented.config))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["augment.policy=[color,flip]"], "augment.policy=[color,flip]: expected one or more of color, translation"),
        (["augment.cutout_ratio=0"], "augment.cutout_ratio=0.0: expected a share of the side"),
        (["data=ring", "metric=wasserstein1"], "augment: samples of the data have shape (2,), expected images"),
        (["algorithm=cfg"], "augment=DiffAugment("),
    ],
    ids=str,
)
def test_what_cannot_be_augmented_is_refused(overrides, message):
    problems = check(composed("augment=diffaugment", *overrides)).problems
    assert any(str(problem).startswith(message) for problem in problems), problems


def test_the_choice_none_is_a_run_without_augmentation():
    dcgan = ("model=dcgan", "model.base_width=8")
    assert build(composed(*dcgan, "augment=none")).member.augment is None
    assert build(composed(*dcgan, "augment=diffaugment")).member.augment == ALL
