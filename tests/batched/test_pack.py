"""All choices of conf/ in one pack: every member is bit-identical to its solo run."""

from __future__ import annotations

from itertools import cycle, product, zip_longest

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from tests.batched.test_independence import assert_same
from tests.models import plain_nets
from tests.training.small import Shapes, small_mlp

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.member import Member, PlayerSettings
from gansweep.batched.pack import PackSettings
from gansweep.cli import folders, hydra_app
from gansweep.cli.hydra_app import BASE
from gansweep.config.build import check
from gansweep.models.coopnets import CoopNetsPair
from gansweep.models.dcgan import DCGAN
from gansweep.models.dcganx import DCGANX
from gansweep.models.dirac import Dirac
from gansweep.models.modules import Modules
from gansweep.models.pair import Pair
from gansweep.models.resnet import ResNet
from gansweep.models.resnet4 import ResNet4
from gansweep.user_code import Factory

STEPS = 4
CONF = folders.conf_dir()


def options(*groups):
    """Return every choice of each group as in a run; a composition has one choice of each group."""
    hydra_app.register()
    names = {group: sorted(path.stem for path in (CONF / group).glob("*.yaml")) for group in groups}
    made = {group: [] for group in groups}
    with initialize_config_dir(str(CONF), **BASE):
        for chosen in zip_longest(*names.values()):
            given = {group: name for group, name in zip(groups, chosen, strict=True) if name is not None}
            line = [f"{group}={name}" for group, name in given.items()]
            config = OmegaConf.to_container(compose("config", [*line, "device=cpu"]), resolve=True)
            parts = check(config).parts
            for group in given:
                made[group].append(parts[group])
    return list(made.values())


@pytest.fixture(scope="module")
def choices():
    return options("loss", "optimizer", "schedule")


@pytest.fixture(scope="module")
def cast(choices):
    """Return every loss with every sixth optimizer in turn, with all schedules and different seeds."""
    losses, rules, schedules = choices
    schedule, members = cycle(schedules), []
    for n, k in ((n, k) for n, k in product(range(len(losses)), range(len(rules))) if (n + k) % 6 == 0):
        players = [PlayerSettings(rule, 3e-3, next(schedule)) for rule in (rules[k], rules[(n + k) % len(rules)])]
        own = next(schedule) if k % 3 == 1 else None
        members.append(Member(len(members), losses[n], *players, STEPS, 0.9 if k == 2 else None, own, own))
    assert len(members) > 50
    assert all(any(one.objective is loss for one in members) for loss in losses)
    assert all(any(one.generator.rule is rule for one in members) for rule in rules)
    used = {repr(player.schedule) for one in members for player in (one.generator, one.discriminator)}
    assert len(used) == len(schedules)
    return members


def train(members):
    pack = AdversarialPack(
        members, small_mlp(), Shapes().samples, PackSettings(batch_size=10, check_every=2), critic_steps=2
    )
    for _ in pack.steps():
        pass
    return pack


def test_all_choices_in_packs_of_every_size(cast):
    alone = [train([one]) for one in cast]
    order = torch.randperm(len(cast), generator=torch.Generator().manual_seed(3)).tolist()
    sizes, at = cycle([16, 7, 2, 1]), 0
    while at < len(order):
        places = order[at : at + next(sizes)]
        pack = train([cast[n] for n in places])
        for k, n in enumerate(places):
            assert_same(pack, k, alone[n])
        at += len(places)


@pytest.mark.slow
def test_all_choices_in_one_pack(cast):
    pack = train(cast)
    for k, one in enumerate(cast):
        assert_same(pack, k, train([one]))


@pytest.mark.slow
def test_more_graphs_than_dynamo_caches_by_default(monkeypatch, cast):
    """A multirun compiles a graph for every combination of rules and objectives and every pack size."""
    whole = torch.compile
    monkeypatch.setattr(torch, "compile", lambda step, **more: whole(step, backend="eager", **more))
    elementwise = [one for one in cast if one.generator.rule.elementwise and one.discriminator.rule.elementwise]
    assert len(elementwise) > 8
    for one in elementwise[:12]:
        pack = AdversarialPack(
            [one], small_mlp(), Shapes().samples, PackSettings(batch_size=8), critic_steps=1, compiled=True
        )
        next(pack.steps())


# Every file of conf/model, small enough for a test.
COOPNETS = CoopNetsPair(latent_dim=3, width=2)
ALONE = {"point", "unet"}  # have no discriminator
SMALL = {
    "mlp": [small_mlp(), small_mlp(dropout=0.0, spectral_norm=True), small_mlp(activation="tanh", spectral_norm=True)],
    "mlp_2d": [small_mlp(dropout=0.0)],
    "mlp_cfg": [Pair(small_mlp(slope=0.0), DCGANX(base_width=2))],
    "mlp_ring": [small_mlp(slope=0.0, dropout=0.0, input_factor=0.25)],
    "dcgan": [
        *(DCGAN(latent_dim=3, base_width=2, batch_norm_discriminator=norm) for norm in (False, True)),
        DCGAN(latent_dim=3, base_width=2, spectral_norm=True),
    ],
    "dcgan_plain": [DCGAN(latent_dim=3, base_width=2, batch_norm_generator=False, batch_norm_discriminator=False)],
    "coopnets": [COOPNETS],
    "coopnets_dcgan": [Pair(COOPNETS, DCGAN(base_width=2, batch_norm_discriminator=False))],
    "dcganx": [DCGANX(latent_dim=3, base_width=2, batch_norm_discriminator=norm) for norm in (False, True)],
    "dirac": [Dirac()],
    "resnet": [ResNet(latent_dim=3, base_width=2, spectral_norm=norm) for norm in (False, True)],
    "modules": [
        Modules(Factory(plain_nets.Generator), Factory(plain_nets.Critic, {"spectral": True, "dropout": 0.3})),
        Modules(Factory(plain_nets.Generator), Factory(plain_nets.NormedCritic)),
    ],
    "resnet4": [ResNet4(latent_dim=3, base_width=1, batch_norm_discriminator=norm) for norm in (False, True)],
}
SHAPES = {"mlp_2d": (2,), "mlp_ring": (2,), "dirac": (1,)}


LARGE = {("dcgan", 2), ("dcganx", 0), ("dcganx", 1), ("modules", 1)} | {
    (f"resnet{n}", k) for n in ("", 4) for k in (0, 1)
}
VARIANTS = [
    pytest.param(name, n, marks=pytest.mark.slow if (name, n) in LARGE else ())
    for name, variants in SMALL.items()
    for n in range(len(variants))
]


def test_every_model_has_a_small_variant():
    assert SMALL.keys() == {path.stem for path in (CONF / "model").glob("*.yaml")} - ALONE


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_every_choice_once_in_one_pack_of_every_model(name, variant, choices):
    """Every loss with its penalties, every optimizer of both players, every schedule."""
    model, (losses, rules, schedules) = SMALL[name][variant], choices
    samples = torch.rand(12, *SHAPES.get(name, (1, 16, 16)), generator=torch.Generator().manual_seed(4)) * 2 - 1

    def player(n):
        return PlayerSettings(rules[n % len(rules)], 1e-3, schedules[n % len(schedules)])

    count = max(map(len, choices))
    members = [Member(n, losses[n % len(losses)], player(n), player(n + 1), 2) for n in range(count)]

    def train(those):
        pack = AdversarialPack(those, model, samples, PackSettings(batch_size=3), critic_steps=1)
        for _ in pack.steps():
            pass
        return pack

    together = train(members)
    for k, one in enumerate(members):
        assert_same(together, k, train([one]))
