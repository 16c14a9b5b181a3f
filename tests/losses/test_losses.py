"""Properties of every loss in conf/loss, and known values of each."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf
from tests.construct import instantiate

from gansweep.interfaces import Game, Penalty
from gansweep.losses.hinge import Hinge
from gansweep.losses.label_smoothing import LabelSmoothing
from gansweep.losses.least_squares import LeastSquares
from gansweep.losses.minimax import Minimax
from gansweep.losses.objective import Objective
from gansweep.losses.relativistic_average import RelativisticAverage
from gansweep.losses.relativistic_pairing import RelativisticPairing
from gansweep.losses.standard import Standard
from gansweep.losses.two_terms import softplus
from gansweep.losses.wasserstein import Wasserstein

CONF = Path(__file__).parents[2] / "conf" / "loss"
CHOICES = sorted(path.stem for path in CONF.glob("*.yaml"))
# Between 0 and 1, where better separation lowers the discriminator's loss in every game, LSGAN
# included.
REAL, FAKE = torch.tensor([[0.5, 0.1], [0.9, 0.2]]), torch.tensor([[0.8, 0.3], [0.7, 0.4]])


def choose(choice):
    return instantiate(OmegaConf.load(CONF / f"{choice}.yaml"))


def generator_loss(game, fake, real):
    """Return the generator's loss; only relativistic games get real logits."""
    return game.generator(fake, real if game.relativistic else None)


@pytest.fixture(params=CHOICES)
def objective(request):
    return choose(request.param)


def test_objective_consists_of_a_game_and_penalties(objective):
    assert isinstance(objective, Objective)
    assert isinstance(objective.game, Game)
    assert all(isinstance(penalty, Penalty) for penalty in objective.penalties.values())


def test_discriminator_loss_falls_with_better_separation(objective):
    game = objective.game
    before = game.discriminator(REAL, FAKE)
    assert (game.discriminator(REAL + 0.05, FAKE) <= before).all()
    assert (game.discriminator(REAL, FAKE - 0.05) <= before).all()
    assert (game.discriminator(REAL + 0.05, FAKE - 0.05) < before).all()


def test_generator_loss_falls_with_its_logits(objective):
    game = objective.game
    assert (generator_loss(game, FAKE + 0.05, REAL) < generator_loss(game, FAKE, REAL)).all()


def test_relativistic_losses_depend_on_differences_only(objective):
    game = objective.game
    shifted = [game.discriminator(REAL + 7, FAKE + 7), generator_loss(game, FAKE + 7, REAL + 7)]
    unshifted = [game.discriminator(REAL, FAKE), generator_loss(game, FAKE, REAL)]
    same = [torch.allclose(one, other) for one, other in zip(shifted, unshifted, strict=True)]
    assert same == [game.relativistic or isinstance(game, Wasserstein), game.relativistic]


def test_losses_do_not_depend_on_other_members(objective):
    random = torch.Generator().manual_seed(2)
    for batch in (1, 7, 16, 50):
        real, fake = torch.randn(2, 3, batch, generator=random) * 3
        game = objective.game
        together = torch.stack([game.discriminator(real, fake), generator_loss(game, fake, real)])
        for k in range(3):
            row = slice(k, k + 1)
            alone = [game.discriminator(real[row], fake[row]), generator_loss(game, fake[row], real[row])]
            assert torch.equal(together[:, k], torch.cat(alone))


def test_nan_of_a_member_does_not_affect_the_others(objective):
    broken = REAL.clone()
    broken[0, 1] = float("nan")
    game = objective.game
    assert game.discriminator(broken, FAKE)[0].isnan()
    assert game.discriminator(broken, FAKE)[1] == game.discriminator(REAL, FAKE)[1]
    assert generator_loss(game, broken, REAL)[0].isnan()
    assert generator_loss(game, broken, FAKE)[1] == generator_loss(game, REAL, FAKE)[1]


@pytest.mark.parametrize(
    ("choice", "game", "penalties", "clip", "critic_steps"),
    [
        ("standard", Standard, {}, None, 1),
        ("minimax", Minimax, {}, None, 1),
        ("wgan", Wasserstein, {}, 0.01, 5),
        ("wgan_gp", Wasserstein, {"gp": 10.0}, None, 5),
        ("r1", Standard, {"r1": 10.0}, None, 1),
        ("r2", Standard, {"r2": 10.0}, None, 1),
        ("r1_r2", Standard, {"r1": 10.0, "r2": 10.0}, None, 1),
        ("hinge", Hinge, {}, None, 1),
        ("lsgan", LeastSquares, {}, None, 1),
        ("rpgan", RelativisticPairing, {}, None, 1),
        ("r3gan", RelativisticPairing, {"r1": 10.0, "r2": 10.0}, None, 1),
        ("ragan", RelativisticAverage, {}, None, 1),
        ("rahinge", RelativisticAverage, {}, None, 1),
        ("ralsgan", RelativisticAverage, {}, None, 1),
        ("label_smoothing", LabelSmoothing, {}, None, 1),
        ("label_flips", Standard, {}, None, 1),
        ("instance_noise", Standard, {}, None, 1),
        ("wgan_gp0", Wasserstein, {"gp": 10.0}, None, 5),
        ("wgan_lp", Wasserstein, {"lp": 10.0}, None, 5),
        ("wgan_gp_per_pixel", Wasserstein, {"gp": 1.0}, None, 5),
        ("dragan", Standard, {"dragan": 10.0}, None, 1),
        ("roth", Standard, {"roth_real": 2.0, "roth_fake": 2.0}, None, 1),
        ("r1_gan_stability", Standard, {"r1": 20.0}, None, 1),
    ],
)
def test_settings_of_each_yaml(choice, game, penalties, clip, critic_steps):
    objective = choose(choice)
    assert type(objective.game) is game
    assert {name: penalty.weight for name, penalty in objective.penalties.items()} == penalties
    assert (objective.clip, objective.critic_steps) == (clip, critic_steps)
    assert (objective.flip > 0, objective.instance_noise > 0) == (choice == "label_flips", choice == "instance_noise")


def test_wrapped_games_and_targets_of_yamls():
    assert {name: type(choose(name).game.of) for name in ("rpgan", "r3gan", "ragan", "rahinge", "label_smoothing")} == {
        "rpgan": Standard,
        "r3gan": Standard,
        "ragan": Standard,
        "rahinge": Hinge,
        "label_smoothing": Standard,
    }
    assert choose("ralsgan").game.of == LeastSquares(-1.0, 1.0, 1.0)
    assert choose("label_smoothing").game.amount == 0.1
    targets = {name: choose(name).penalties["gp"].target for name in ("wgan_gp", "wgan_gp0", "wgan_gp_per_pixel")}
    assert targets == {"wgan_gp": 1.0, "wgan_gp0": 0.0, "wgan_gp_per_pixel": 1.0}


def sigmoid(t):
    return 1 / (1 + math.exp(-t))


@pytest.mark.parametrize(
    ("game", "discriminator", "generator"),
    [
        (Standard(), lambda r, f: -math.log(sigmoid(r)) - math.log(1 - sigmoid(f)), lambda f: -math.log(sigmoid(f))),
        (Minimax(), lambda r, f: -math.log(sigmoid(r)) - math.log(1 - sigmoid(f)), lambda f: math.log(1 - sigmoid(f))),
        (Wasserstein(), lambda r, f: f - r, lambda f: -f),
        (Hinge(), lambda r, f: max(0, 1 - r) + max(0, 1 + f), lambda f: -f),
        (LeastSquares(), lambda r, f: ((r - 1) ** 2 + f**2) / 2, lambda f: (f - 1) ** 2 / 2),
        (LeastSquares(-1, 1, 0), lambda r, f: ((r - 1) ** 2 + (f + 1) ** 2) / 2, lambda f: f**2 / 2),
    ],
    ids=repr,
)
def test_equals_the_formula(game, discriminator, generator):
    real, fake = [1.7, -0.3, 0.4], [-1.2, 0.8, 0.1]
    rows = torch.tensor([real, fake], dtype=torch.float64)[:, None]
    expected = sum(discriminator(r, f) for r, f in zip(real, fake, strict=True)) / 3
    assert game.discriminator(rows[0], rows[1]).tolist() == pytest.approx([expected], rel=1e-12)
    assert game.generator(rows[1]).tolist() == pytest.approx([sum(map(generator, fake)) / 3], rel=1e-12)


def test_minimax_generator_saturates_and_standard_does_not():
    logits = torch.full((1, 2), -20.0, requires_grad=True)
    (saturated,) = torch.autograd.grad(Minimax().generator(logits).sum(), logits)
    (standard,) = torch.autograd.grad(Standard().generator(logits).sum(), logits)
    assert saturated.abs().max() < 1e-8
    assert standard[0].tolist() == pytest.approx([-0.5, -0.5])


def test_softplus_and_its_derivative():
    x = torch.tensor([-800.0, -30.0, -1.5, 0.0, 1.5, 30.0, 800.0], dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(softplus(x), torch.nn.functional.softplus(x), rtol=1e-14, atol=0)
    (derivative,) = torch.autograd.grad(softplus(x).sum(), x)
    torch.testing.assert_close(derivative, torch.sigmoid(x).detach(), rtol=1e-13, atol=1e-300)


def test_softplus_and_its_derivative_do_not_depend_on_the_position():
    """torch's softplus rounds elements after the last full vector register differently."""
    random = torch.Generator().manual_seed(0)
    for batch in range(1, 40):
        rows = torch.randn(3, batch, generator=random).mul_(4).requires_grad_()
        (derivative,) = torch.autograd.grad(softplus(rows).sum(), rows)
        for k in range(3):
            alone = rows[k : k + 1].detach().clone().requires_grad_()
            assert torch.equal(softplus(alone)[0], softplus(rows)[k])
            assert torch.equal(torch.autograd.grad(softplus(alone).sum(), alone)[0][0], derivative[k])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Objective(Hinge(), clip=0.0), "clip=0.0: expected a number > 0"),
        (lambda: Objective(Hinge(), clip=float("nan")), "clip=nan"),
        (lambda: Objective(Hinge(), critic_steps=0), "critic_steps=0: expected a whole number >= 1"),
        (lambda: Objective(Hinge(), flip=1.0), "flip=1.0: expected a probability 0 <= flip < 1"),
        (lambda: Objective(Hinge(), flip=-0.1), "flip=-0.1"),
        (lambda: Objective(Hinge(), instance_noise=float("inf")), "instance_noise=inf: expected a number >= 0"),
        (lambda: LeastSquares(target=float("inf")), "target=inf: expected a finite number"),
        (lambda: LeastSquares(fake_label=1.0, real_label=0.0), "fake_label=1.0: expected less than real_label=0.0"),
    ],
)
def test_settings_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_ideal_loss_of_least_squares():
    """At the output (a + b) / 2, each term is ((b - a) / 2)^2 / 2."""
    assert LeastSquares(fake_label=-1.0, real_label=2.0).ideal_loss == pytest.approx(2.25)
