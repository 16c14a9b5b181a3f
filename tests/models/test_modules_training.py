"""Training of plain torch modules: against a loop written by hand, in packs, after a restart, and by configuration."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import torch
from tests.config.test_build_conf import composed
from tests.models import plain_nets as nets
from tests.typed import typed
from torch import nn

import gansweep
from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.member import Member, PlayerSettings
from gansweep.batched.pack import PackSettings
from gansweep.code_identity import code_of
from gansweep.config.build import check
from gansweep.dynamics.extragradient import ExtraGradient
from gansweep.interfaces import UpdateRule
from gansweep.layers.module_layer import ModuleLayer
from gansweep.losses.objective import Objective
from gansweep.losses.standard import Standard
from gansweep.losses.wasserstein import Wasserstein
from gansweep.models.modules import Modules
from gansweep.optimizers.adam import Adam
from gansweep.optimizers.sgd import SGD
from gansweep.penalties.r1 import R1
from gansweep.penalties.wgan_gp import WGANGP
from gansweep.schedules.constant import Constant
from gansweep.sweep.identity import digest, identity
from gansweep.user_code import Factory

SHAPE, BATCH, STEPS = (1, 8, 8), 6, 4
PLAIN = Modules(Factory(nets.Generator), Factory(nets.Critic))
EVERYTHING = Modules(Factory(nets.Generator), Factory(nets.Critic, {"spectral": True, "dropout": 0.3}))
NORMED = Modules(Factory(nets.Generator), Factory(nets.NormedCritic))


def member(objective: Objective, seed: int = 0, rule: UpdateRule | None = None, factor: float = 1.0) -> Member:
    g, d = (PlayerSettings(rule or SGD(), rate * factor, Constant()) for rate in (0.05, 0.03))
    return Member(seed, objective, g, d, steps=STEPS, ema=0.9)


def pack_of(model: Modules, members: list[Member], critic_steps: int = 1, **settings) -> AdversarialPack:
    samples = torch.rand(30, *SHAPE, generator=torch.Generator().manual_seed(5)) * 2 - 1
    return AdversarialPack(members, model, samples, PackSettings(BATCH), critic_steps=critic_steps, **settings)


def play(pack: AdversarialPack, steps: int = STEPS) -> AdversarialPack:
    for report in pack.steps():
        if report.steps[0] >= steps:
            break
    return pack


def recorded(pack: AdversarialPack) -> tuple[list, list]:
    """Return lists that receive the random inputs of the updates of both players."""
    for_d, for_g, random = [], [], pack.random
    draw_d, draw_g = random.for_discriminator, random.for_generator
    random.for_discriminator = lambda before=None: for_d.append(draw_d(before)) or for_d[-1]
    random.for_generator = lambda before: for_g.append(draw_g(before)) or for_g[-1]
    return for_d, for_g


def modules_of(pack: AdversarialPack) -> tuple[nn.Module, nn.Module]:
    """Return generator and discriminator of the first member as modules."""
    players = pack.export(0)
    pairs = []
    for name, player in pack.players.items():
        theta, buffers = players[name]["theta"][None], {n: b[None] for n, b in players[name]["buffers"].items()}
        pairs.append(player.network.module(player.network.state_dict(theta, buffers)).train())
    return pairs[0], pairs[1]


def r1_of(critic, real, fake, u):
    real = real.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(real).sum(), real, create_graph=True)
    return 5.0 * gradient.square().sum((1, 2, 3)).mean()


def wgan_gp_of(critic, real, fake, u):
    x_hat = (u * real + (1 - u) * fake).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x_hat).sum(), x_hat, create_graph=True)
    return 10.0 * (gradient.square().sum((1, 2, 3)).sqrt() - 1).square().mean()


def non_saturating(real, fake):
    return nn.functional.softplus(-real).mean() + nn.functional.softplus(fake).mean()


GAMES = {
    "r1": (Standard(), R1(weight=10.0), r1_of, non_saturating, lambda fake: nn.functional.softplus(-fake).mean()),
    "wgan_gp": (Wasserstein(), WGANGP(), wgan_gp_of, lambda r, f: f.mean() - r.mean(), lambda fake: -fake.mean()),
}


@pytest.mark.parametrize("name", GAMES)
def test_training_is_that_of_a_loop_written_by_hand(name):
    """Alternating steps on the same random inputs, with batch norm in the generator and a second-order penalty."""
    game, penalty, penalty_of, loss_d, loss_g = GAMES[name]
    pack = pack_of(PLAIN, [member(Objective(game, {name: penalty})), member(Objective(game), 3)], critic_steps=2)
    for_d, for_g = recorded(pack)
    generator, critic = modules_of(pack)
    play(pack)
    row = pack.place[0]
    of_g, of_d = torch.optim.SGD(generator.parameters(), 0.05), torch.optim.SGD(critic.parameters(), 0.03)
    for step in range(STEPS):
        for given in for_d[2 * step : 2 * step + 2]:
            real, fake = given.real[row], generator(given.z[row]).detach()
            loss = loss_d(critic(real), critic(fake)) + penalty_of(critic, real, fake, given.penalties[0].u[0][row])
            of_d.zero_grad()
            loss.backward()
            of_d.step()
        of_g.zero_grad()
        loss_g(critic(generator(for_g[step].z[row]))).backward()
        of_g.step()
    for module, trained in zip((generator, critic), modules_of(pack), strict=True):
        for (key, expected), value in zip(module.state_dict().items(), trained.state_dict().values(), strict=True):
            assert torch.allclose(value, expected, rtol=1e-3, atol=2e-5), key


def state_of(pack: AdversarialPack, k: int) -> dict[str, torch.Tensor]:
    saved = pack.export(k)
    values = {"ema": saved["ema"]}
    for player in ("generator", "discriminator"):
        part = saved[player]
        values |= {f"{player} {name}": v for name, v in (part["buffers"] | part["state"] | {"": part["theta"]}).items()}
    return values


def assert_equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


R1_GAME = Objective(Standard(), {"r1": R1(weight=1.0)})


@pytest.mark.parametrize("model", [EVERYTHING, NORMED], ids=["spectral norm, dropout", "batch norm"])
def test_a_member_is_bit_identical_in_a_pack_and_after_a_restart(model):
    """Two steps in a pack of three, a checkpoint, and two steps alone equal four steps alone."""
    tested, others = member(R1_GAME, 1, Adam()), [member(Objective(Wasserstein()), 2), member(R1_GAME, 3, factor=3.0)]
    whole = play(pack_of(model, [tested], critic_steps=2))
    together = play(pack_of(model, [others[0], tested, others[1]], critic_steps=2), STEPS // 2)
    file = io.BytesIO()
    torch.save(together.export(1), file)
    file.seek(0)
    resumed = pack_of(model, [tested], critic_steps=2)
    resumed.restore(0, torch.load(file, weights_only=True))
    assert_equal(state_of(play(resumed), 0), state_of(whole, 0))
    assert torch.equal(resumed.generate(0, 5, "evaluation"), whole.generate(0, 5, "evaluation"))
    assert whole.export(0)["generator"]["buffers"]["norm.num_batches_tracked"] == 3 * STEPS


def test_joint_dynamics_train_modules():
    pack = play(pack_of(NORMED, [member(R1_GAME), member(R1_GAME, 1)], dynamics=ExtraGradient()))
    assert_equal(state_of(pack, 1), state_of(play(pack_of(NORMED, [member(R1_GAME, 1)], dynamics=ExtraGradient())), 0))


@pytest.mark.parametrize("name", GAMES)
def test_training_by_vmap_is_close_to_that_of_one_member_after_another(name, monkeypatch):
    """As on an accelerator, with a second-order penalty and running statistics."""
    game, penalty, *_ = GAMES[name]
    members = [member(Objective(game, {name: penalty}), seed) for seed in range(3)]
    one_by_one = play(pack_of(NORMED, members))
    monkeypatch.setattr(ModuleLayer, "one_by_one", ModuleLayer.together)
    together = play(pack_of(NORMED, members))
    for k in range(3):
        expected = state_of(one_by_one, k)
        for key, value in state_of(together, k).items():
            assert torch.allclose(value, expected[key], rtol=1e-3, atol=2e-5), key


def test_a_trained_cell_is_loaded_as_modules_of_the_users_classes(tmp_path, monkeypatch):
    """With the averaged parameters and the running statistics of its checkpoint."""
    (folder,) = {path.parent for path in typed(tmp_path, [*CHOSEN, "trainer.ema=0.9", *TINY]).rglob("checkpoint.pt")}
    monkeypatch.chdir(tmp_path)
    loaded = gansweep.load(folder, allow=["tests.models.plain_nets"])
    saved = torch.load(folder / "checkpoint.pt", weights_only=True)["member"]
    assert isinstance(loaded.generator, nets.Generator)
    assert isinstance(loaded.discriminator, nets.Critic)
    assert torch.equal(torch.cat([p.flatten() for p in loaded.generator.parameters()]), saved["ema"])
    assert torch.equal(loaded.generator.norm.running_mean, saved["generator"]["buffers"]["norm.running_mean"])
    with pytest.raises(ValueError, match=r"tests.models.plain_nets.Generator is not in an allowed module"):
        gansweep.load(folder)


NETS = "allow=[tests.models.plain_nets]"
CRITIC = "model.discriminator=tests.models.plain_nets.Critic"
GENERATOR = "model.generator=tests.models.plain_nets.Generator"
TARGET = "model.generator._target_=tests.models.plain_nets.Generator"
CHOSEN = ["model=modules", GENERATOR, CRITIC, NETS]
TINY = ["batch_size=8", "steps=3", "device=cpu", "workers=1", "trainer.tensorboard=false", "metric.num_samples=16"]


def problems(*overrides: str) -> list[str]:
    return [str(problem) for problem in check(composed(*overrides)).problems]


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["model=modules", NETS], ["model.generator: must be given", "model.discriminator: must be given"]),
        (["model=modules", GENERATOR, CRITIC], ["tests.models.plain_nets.Generator is not in an allowed module"] * 2),
        ([*CHOSEN, "model.generator=tests.models.plain_nets.Gen"], ["no attribute 'Gen'"]),
        ([*CHOSEN, "model.generator=3"], ["model.generator=3: expected the dotted path of a class"]),
        ([*CHOSEN, "model.generator=tests.models.plain_nets.WithoutLatentDim"], ["model.latent_dim=null: "]),
        ([*CHOSEN, "model.latent_dim=0"], ["model.latent_dim=0: expected 1 or more"]),
        ([*CHOSEN, "+model.generator.width=5"], ["model.generator={'width': 5}: expected the dotted path of a class"]),
        (["model=modules", TARGET, CRITIC, NETS, "+model.generator.x=5"], ["model.generator.x=5: unknown key"]),
        ([*CHOSEN, "model.generator=tests.models.plain_nets.WrongShape"], ["model.generator=tests.", "maps (4, 2)"]),
        ([*CHOSEN, "trainer.compile=true"], ["trainer.compile=true: model=modules can't be compiled"]),
    ],
)
def test_wrong_settings_are_named_before_training(overrides, words):
    found = problems(*overrides)
    assert all(any(word in problem for problem in found) for word in words), found


def identity_of(*overrides: str) -> str:
    checked = check(composed(*overrides))
    assert not checked.problems
    return digest(identity(checked.config, "data", "1", code_of(checked.config)))


def test_a_path_and_a_target_are_the_same_setting():
    written = ["model=modules", TARGET, CRITIC, NETS]
    assert identity_of(*written) == identity_of(*CHOSEN)
    assert identity_of(*written, "+model.generator.width=8") != identity_of(*CHOSEN)
    assert identity_of(*written, "+model.generator.width=8") == identity_of(*written, "+model.generator.width=8.0")


def test_an_edited_class_changes_the_hash(tmp_path, monkeypatch):
    """One digit of the discriminator's code differs; a comment does not count."""
    source, hashes = Path(str(nets.__file__)).read_text(), []
    monkeypatch.syspath_prepend(str(tmp_path))
    for n, code in enumerate([source, source + "# A comment.\n", source.replace("LeakyReLU(0.2", "LeakyReLU(0.1")]):
        (tmp_path / f"edited_{n}.py").write_text(code)
        paths = [f"model.generator=edited_{n}.Generator", f"model.discriminator=edited_{n}.Critic"]
        checked = check(composed("model=modules", *paths, f"allow=[edited_{n}]"))
        assert not checked.problems
        hashes.append(code_of(checked.config)[f"edited_{n}"])
    assert hashes[0] == hashes[1] != hashes[2]
