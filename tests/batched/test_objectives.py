"""Label flips, instance noise, scheduled weights and relativistic losses in a pack."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import torch
from tests.batched.test_independence import assert_same, train
from tests.training.small import Shapes, member, small_mlp

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.objectives import Objectives
from gansweep.batched.pack import PackSettings
from gansweep.layers import Linear, Network, Reshape
from gansweep.losses.objective import Objective
from gansweep.losses.relativistic_average import RelativisticAverage
from gansweep.losses.relativistic_pairing import RelativisticPairing
from gansweep.losses.standard import Standard
from gansweep.losses.wasserstein import Wasserstein
from gansweep.models.initialisation import TorchDefault
from gansweep.models.mlp import MLP
from gansweep.optimizers.sgd import SGD
from gansweep.penalties.dragan import DRAGAN
from gansweep.penalties.r1 import R1
from gansweep.penalties.r2 import R2
from gansweep.penalties.roth_fake import RothFake
from gansweep.penalties.roth_real import RothReal
from gansweep.schedules.linspace import Linspace

FLIPPED = Objective(Standard(), {"r1": R1(weight=1.0)}, flip=0.3)
NOISY = Objective(Standard(), {"r1": R1(weight=1.0)}, instance_noise=0.2)
RELATIVISTIC = Objective(RelativisticPairing(Standard()), {"r1": R1(weight=1.0), "r2": R2(weight=1.0)})
ROTH = Objective(Standard(), {"real": RothReal(), "fake": RothFake()})
CAST = [
    member(1),
    member(2, objective=FLIPPED),
    member(3, SGD(), 1e-2, NOISY, noise_schedule=Linspace(1.0, 0.0)),
    member(4, objective=RELATIVISTIC),
    member(5, objective=replace(ROTH, instance_noise=0.1), penalty_schedule=Linspace(1.0, 0.01)),
    member(6, objective=Objective(RelativisticAverage(Standard()), {"dragan": DRAGAN()}, flip=0.5)),
    member(7, objective=Objective(Wasserstein(), clip=0.05)),
]


@dataclass(frozen=True)
class LinearCritic(MLP):
    """D(x) = w x + b, whose input gradient is w everywhere."""

    def discriminator(self, sample_shape):
        return Network([Reshape(sample_shape, (36,)), Linear("1", 36, 1)], TorchDefault())


def test_members_are_independent_of_pack_and_position():
    model, samples = small_mlp(), Shapes().samples
    alone = [train([one], model, samples, steps=5) for one in CAST]
    for order in (range(len(CAST)), [5, 3, 1, 4, 2, 0], [3, 6], [0, 2]):
        pack = train([CAST[n] for n in order], model, samples, steps=5)
        for k, n in enumerate(order):
            assert_same(pack, k, alone[n])


@pytest.mark.parametrize("threads", [1, 2])
def test_wide_batches_with_several_threads(threads):
    """A batch has 46,080 numbers, more than torch sums in one thread."""
    torch.set_num_threads(threads)
    model, samples = small_mlp(), torch.rand(80, 1, 24, 24, generator=torch.Generator().manual_seed(3))
    members = [CAST[5], CAST[4], CAST[3]]
    pack = train(members, model, samples, steps=1, batch_size=80)
    for k, one in enumerate(members):
        assert_same(pack, k, train([one], model, samples, steps=1, batch_size=80))


def test_a_diverged_member_does_not_affect_the_others():
    model, samples = small_mlp(), Shapes().samples
    for objective in (RELATIVISTIC, ROTH, CAST[5].objective):
        bad = member(9, SGD(), 1e30, objective)
        pack = train([bad, *CAST[1:5]], model, samples)
        assert not pack.export(0)["discriminator"]["theta"].isfinite().all()
        for k in range(1, 5):
            assert_same(pack, k, train([CAST[k]], model, samples))


# Label flips.


def losses_of(objectives, on_real, on_fake, flips):
    """Return the discriminators' losses for a network that returns its input."""
    network = Network([], TorchDefault())
    samples = [logits[..., None] for logits in (on_real, on_fake)]
    _, (terms, _) = objectives.discriminator(network, [], {}, *samples, [], [], flips)
    return terms


def test_only_flipped_pairs_are_swapped():
    members = [member(objective=Objective(Standard(), flip=flip)) for flip in (0.0, 0.25, 0.25)]
    on_real, on_fake = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0))
    flips = torch.tensor([[0.0, 0.1, 0.2, 0.3], [0.0, 0.9, 0.24, 0.25], [0.25, 0.3, 0.4, 0.99]])
    terms = losses_of(Objectives(members, torch.device("cpu")), on_real, on_fake, flips)
    left, right = on_real.clone(), on_fake.clone()
    for b in (0, 2):
        left[1, b], right[1, b] = on_fake[1, b], on_real[1, b]
    assert torch.equal(terms.loss, Standard().discriminator(left, right))
    assert not torch.equal(left, on_real)
    assert torch.equal(terms.real, on_real.mean(1))  # the curves show the logits by the true labels


def test_a_member_without_flips_beside_one_with_flips():
    model, samples = small_mlp(), Shapes().samples
    none, half = member(1), member(1, objective=replace(member(1).objective, flip=0.5))
    pack = train([none, half], model, samples)
    alone = train([none], model, samples)
    assert alone.objectives.flip is None
    assert pack.objectives.flip is not None
    assert_same(pack, 0, alone)
    assert not torch.equal(pack.export(1)["discriminator"]["theta"], alone.export(0)["discriminator"]["theta"])


def test_the_fraction_of_flipped_labels():
    one = member(1, objective=Objective(Standard(), flip=0.2))
    pack = AdversarialPack([one], small_mlp(), Shapes().samples, PackSettings(batch_size=40), critic_steps=1)
    drawn = []
    for n in range(100):
        pack.draws.begin([n], torch.tensor([n]))
        drawn.append(pack.random.for_discriminator().flips)
    drawn = torch.stack(drawn)
    assert drawn.shape == (100, 1, 40)
    assert (drawn < 0.2).double().mean().item() == pytest.approx(0.2, abs=5 * (0.2 * 0.8 / 4000) ** 0.5)


# Instance noise.


def seen_by_both(monkeypatch, objective, **changes):
    """Return the discriminator's inputs in every pass of three steps, and the samples before the noise."""
    shown = []
    whole = Network.__call__

    def watched(network, params, x, state=None):
        if x.shape[-3:] == (1, 6, 6):
            shown.append(x.detach().clone())
        return whole(network, params, x, state)

    one = member(1, objective=objective, steps=3, **changes)
    pack = AdversarialPack([one], small_mlp(dropout=0.0), Shapes().samples, PackSettings(batch_size=10), critic_steps=1)
    with monkeypatch.context() as patch:
        patch.setattr(Network, "__call__", watched)
        for _ in pack.steps():
            pass
    return shown


def test_relativistic_losses_use_the_real_batch_of_the_discriminator(monkeypatch):
    game = RelativisticPairing(Standard())
    for noise in (0.0, 0.3):
        shown = seen_by_both(monkeypatch, Objective(game, instance_noise=noise))
        assert len(shown) == 3 * 3  # real and generated together; generated; real
        for both, _, real in zip(shown[::3], shown[1::3], shown[2::3], strict=True):
            assert torch.equal(both[:, :10], real)
            apart = (real[0, :, None] - Shapes().samples).flatten(2).norm(dim=2).min(1).values
            assert (apart > 0.5).all() if noise else (apart == 0).all()


def test_instance_noise_has_the_scheduled_size(monkeypatch):
    """0.4 in the first step, 0.2 in the second, 0 in the last; the rates are 0."""
    still = {"rule": SGD(), "lr": 1e-30}
    schedule = Linspace(1.0, 0.0)
    noisy = seen_by_both(monkeypatch, Objective(Standard(), instance_noise=0.4), noise_schedule=schedule, **still)
    clean = seen_by_both(monkeypatch, Objective(Standard()), **still)
    assert len(noisy) == len(clean) == 6  # real and generated; generated
    for step, std in enumerate((0.4, 0.2, 0.0)):
        for n in (2 * step, 2 * step + 1):
            noise = noisy[n] - clean[n]
            assert noise.std().item() == pytest.approx(std, rel=0.15)
        first, second = (noisy[2 * step] - clean[2 * step]).split(10, 1)
        assert std == 0 or not torch.allclose(first, second)


# Scheduled weights.


@pytest.mark.parametrize("penalty", [R1(weight=3.0), R2(weight=3.0)])
def test_a_penalty_weight_follows_its_schedule(penalty):
    """gamma / 2 |w|^2 times 1, ..., 1/2, ..., 0 in nine steps, for a critic with input gradient w."""
    objective = Objective(Wasserstein(), {"flat": penalty})
    falling = member(1, SGD(), 1e-2, objective, steps=9, penalty_schedule=Linspace(1.0, 0.0))
    steady = replace(falling, penalty_schedule=None)
    model = LinearCritic(latent_dim=4, generator_widths=(8,))
    pack = AdversarialPack([falling, steady], model, Shapes().samples, PackSettings(batch_size=10), critic_steps=1)
    steps, told = pack.steps(), []
    for _ in range(9):
        w = pack.d.params()[0].clone().flatten(1)
        report = next(steps)
        told.append(report.discriminator.penalties[0] / (1.5 * w.square().sum(1)))
    falling, steady = (torch.stack(told)[:, pack.place[k]] for k in range(2))
    torch.testing.assert_close(falling, torch.linspace(1, 0, 9), rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(steady, torch.ones(9), rtol=1e-5, atol=0)


# torch.compile.


@pytest.mark.slow
@pytest.mark.parametrize(
    "objective", [replace(RELATIVISTIC, flip=0.2, instance_noise=0.1), ROTH], ids=["rpgan", "roth"]
)
def test_compiled_equals_eager(objective):
    """With SGD: Adam amplifies the rounding of zero gradients, e.g. of a bias in a relativistic loss."""
    one = member(1, SGD(), 1e-2, objective)
    eager, compiled = (train([one], small_mlp(), Shapes().samples, steps=4, compiled=c) for c in (False, True))
    for name in ("generator", "discriminator"):
        ours, theirs = eager.export(0)[name]["theta"], compiled.export(0)[name]["theta"]
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)
