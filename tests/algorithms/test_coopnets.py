"""CoopNets compared with closed forms and independent computations."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from tests.algorithms.small_coopnets import member, pack_of, patches, trained

from gansweep.algorithms.coopnets import CoopNets
from gansweep.algorithms.coopnets.pack import areas, capped, grey, proposal, within_range
from gansweep.dynamics.simultaneous import Simultaneous
from gansweep.layers import Conv2d, LeakyReLU, Network, Pass, Reshape
from gansweep.models.coopnets import CoopNetsPair
from gansweep.models.dcgan import DCGAN
from gansweep.models.initialisation import DCGANNormal
from gansweep.schedules.piecewise import Piecewise
from gansweep.training.run import Run, TrainerSettings


@pytest.fixture(autouse=True)
def same_numbers():
    """Seed the inputs of the tests."""
    torch.manual_seed(0)


SHRINKS = {"as_run": 0.85, "corrected": 0.955}


def chains(algorithm: CoopNets, y: torch.Tensor, slope: torch.Tensor | float = 0.0, steps: int = 40) -> torch.Tensor:
    random = torch.Generator().manual_seed(1)
    for _ in range(steps):
        y = algorithm.langevin(torch.as_tensor(slope), y, torch.randn(y.shape, generator=random))
    return y


@pytest.mark.parametrize(("shrink", "mean", "std"), [("as_run", 0.150, 0.57), ("corrected", 15.85, 0.998)])
def test_forty_steps_where_f_is_flat(shrink, mean, std):
    """The distribution of an AR(1) process: mean a^T y0, variance delta^2 (1 - a^2T) / (1 - a^2)."""
    algorithm, a = CoopNets(langevin_shrink=shrink), SHRINKS[shrink]
    assert algorithm.keep == pytest.approx(a, rel=1e-12)
    y = chains(algorithm, torch.full((1, 200_000), 100.0))
    exact = 0.3 * math.sqrt((1 - a**80) / (1 - a**2))
    assert y.mean().item() == pytest.approx(100 * a**40, abs=0.01)
    assert y.std().item() == pytest.approx(exact, rel=0.01)
    assert (y.mean().item(), y.std().item()) == (pytest.approx(mean, abs=0.01), pytest.approx(std, rel=0.01))


def test_a_linear_descriptor_moves_the_reference_by_its_slope():
    """f(y) = b y and the reference N(0, s^2) give N(s^2 b, s^2) up to the error of the finite step."""
    algorithm = CoopNets(s_ref=1.0)
    y = chains(algorithm, torch.zeros(1, 50_000), slope=2.0, steps=150)
    assert y.mean().item() == pytest.approx(2.0, abs=0.02)
    assert y.std().item() == pytest.approx(1.0114, rel=0.01)


def test_the_packs_chains_follow_the_gradient_of_its_descriptor():
    """With a descriptor that is linear on the patches, the end of the chains is known up to the noise."""
    pack = pack_of([member()], CoopNets(langevin_steps=1, delta=0.3))
    start = torch.randn(1, 6, 3, 12, 12) * 40
    slope = pack.d.network.input_gradient(pack.d.params(), start, Pass())
    assert slope.abs().amax() > 0
    moved = pack._revised(start)
    noise = pack_of([member()], CoopNets(langevin_steps=1)).draws.next("langevin")
    torch.testing.assert_close(moved, 0.955 * start + 0.045 * slope + 0.3 * noise)


def test_capping_keeps_the_direction_of_every_members_parameter():
    assert capped(torch.tensor([[16.0, -4.0], [4.0, 1.0]]), 8.0).tolist() == [[8, -2], [4, 1]]
    assert capped(torch.tensor([[16.0, -4.0]]), None).tolist() == [[16, -4]]
    assert capped(torch.tensor([[math.nan, 1.0]]), 8.0).isnan().any()


def test_scales_of_pictures():
    assert proposal(torch.tensor([-1.0, 0.0, 1.0, -0.999])).tolist() == [0, 128, 256, 0]
    assert grey(torch.tensor([-1.0, 1.0])).tolist() == [0, 255]
    low, high = within_range(torch.tensor([-5.0, 300.0])).tolist()
    assert (low, high) == (pytest.approx(-0.999921875, abs=1e-7), pytest.approx(0.999921875, abs=1e-7))


def test_a_small_step_of_the_generator_brings_it_closer():
    one = pack_of([member(lr=1e-5)])
    z, y = torch.randn(1, 6, 3), torch.rand(1, 6, 3, 12, 12) - 0.5

    def error():
        return (y - one.g.network(one.g.params(), z)).square().mean().item()

    before = error()
    one.g.rates.now.fill_(1e-5)
    one._generator_step(z, y)
    assert error() < before


def test_a_small_step_of_the_descriptor_tells_data_from_chains_better():
    one = pack_of([member()])
    one.d.rates.now.fill_(1e-6)
    real, y = grey(patches()[None, :6]) - one.mean, torch.randn(1, 6, 3, 12, 12) * 30

    def gap():
        f = one.d.network(one.d.params(), torch.cat([real, y], 1))[..., 0]
        return (f[:, :6].mean() - f[:, 6:].mean()).item()

    before = gap()
    one._descriptor_step(real, y)
    assert gap() > before


class Seen:
    """Update rule that stores its gradient."""

    elementwise = False

    def state(self, slots, theta):
        return {}

    def update(self, theta, grad, state, context):
        self.gradient = grad.clone()


@pytest.mark.parametrize(("convention", "factor"), [("sum", 6.0), ("mean", 1.0)])
def test_the_generators_gradient_is_a_sum_over_chains_times_one_over_sigma_squared(convention, factor):
    rule = Seen()
    algorithm = CoopNets(sigma=0.3, generator_gradient=convention, cap_generator=None)
    pack = pack_of([member(rule=rule)], algorithm)
    z, y = torch.randn(1, 6, 3), torch.rand(1, 6, 3, 12, 12) - 0.5
    pack._generator_step(z, y)
    params = [p.detach().requires_grad_() for p in pack.g.params()]
    loss = (y - pack.g.network(params, z)).square().sum((2, 3, 4)).mean() / 2
    expected = torch.cat([g.flatten(1) for g in torch.autograd.grad(loss, params)], 1) * factor / 0.09
    torch.testing.assert_close(rule.gradient, expected, rtol=1e-3, atol=1e-4 * expected.abs().amax().item())


def test_the_descriptors_gradient_is_divided_by_the_pixels_of_its_layer_and_capped():
    rule = Seen()
    pack = pack_of([member(rule=rule)], CoopNets(cap_discriminator=1e-3))
    assert pack.areas == [36, 36, 9, 9, 1, 1]  # 12 pixels, 6, 3, 1; weight and bias
    real, y = grey(patches()[None, :6]) - pack.mean, torch.randn(1, 6, 3, 12, 12) * 30
    pack._descriptor_step(real, y)
    params = [p.detach().requires_grad_() for p in pack.d.params()]
    f = pack.d.network(params, torch.cat([real, y], 1))[..., 0]
    plain = torch.autograd.grad(f[:, 6:].mean() - f[:, :6].mean(), params)
    expected = [g / area for g, area in zip(plain, pack.areas, strict=True)]
    expected = [g * min(1.0, 1e-3 / g.abs().amax().item()) for g in expected]
    torch.testing.assert_close(rule.gradient, torch.cat([g.flatten(1) for g in expected], 1), rtol=1e-4, atol=1e-9)


def test_areas_of_the_studys_descriptor():
    network = CoopNetsPair(width=1).discriminator((3, 32, 32))
    params = network.cut(network.initial(torch.Generator())[None])
    assert areas(network, params, torch.zeros(1, 1, 3, 32, 32)) == [256, 256, 64, 64, 1, 1]


def test_latents_follow_the_posterior_of_their_samples():
    """One step against its formula, (dG/dz)^T (y - G(z)) by autograd; without steps z is unchanged."""
    wide = CoopNetsPair(3, 2, initialisation_generator=DCGANNormal(0.3))
    pack = pack_of([member()], CoopNets(latent_steps=1, delta_z=0.2, s_z=0.5), wide)
    z, y = torch.randn(1, 6, 3), torch.rand(1, 6, 3, 12, 12) - 0.5
    noise = pack_of([member()], CoopNets(latent_steps=1), wide).draws.next("latent_langevin")
    free = z.clone().requires_grad_()
    fake = pack.g.network(pack.g.params(), free)
    (pulled,) = torch.autograd.grad(fake, free, (y - fake).detach())
    assert pulled.abs().amax() > 0.1
    expected = z + 0.02 * (pulled / 0.25 - z) + 0.2 * noise
    torch.testing.assert_close(pack._inferred(z, y), expected, rtol=1e-4, atol=1e-5)
    assert pack_of([member()])._inferred(z, y) is z


def test_the_reconstruction_error_is_that_of_the_updated_generator():
    pack = pack_of([member(lr=1e-2)])
    assert pack.custom_scalars(0) == {}
    assert pack.pictures(0) == {}
    old = [p.clone() for p in pack.g.params()]
    next(pack.steps())

    def error(params):
        return (pack.g.network(params, pack.last.z) - pack.last.y).abs().mean().item()

    (told,) = pack.custom_scalars(0).values()
    assert float(told) == pytest.approx(error(pack.g.params()), rel=1e-6)
    assert float(told) != pytest.approx(error(old), rel=1e-3)
    assert pack.pictures(0)["descriptor"].shape == (6, 3, 12, 12)


def test_larger_rates_reconstruct_better_in_short_runs():
    """The study's order, x 10 before x 1 before x 0.1, on patches whose mean picture is not G's first one."""
    algorithm = CoopNets(langevin_steps=8, langevin_shrink="as_run")
    cast = [member(lr=5e-4 * factor, steps=15) for factor in (10, 1, 0.1)]
    pack = trained(cast, algorithm, samples=0.3 * patches() + 0.5)
    errors = [pack.custom_scalars(k)["reconstruction_error"] for k in range(3)]
    assert errors[0] < errors[1] / 2 < errors[2] / 4


class Data:
    name, sample_shape, content_hash = "patches", (3, 12, 12), "patches"
    samples = patches()


def run(**changes):
    settings = {"member": member(), "model": CoopNetsPair(3, 2), "data": Data(), "metric": None, "batch_size": 6}
    return Run(algorithm=CoopNets(), **(settings | changes))


def objective(**changes):
    one = member()
    return replace(one, objective=replace(one.objective, **changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"member": objective(clip=0.01)}, "loss=.*loss=mean_difference"),
        ({"member": objective(flip=0.1)}, "loss=.*loss=mean_difference"),
        ({"critic_steps": 5}, "critic_steps=5.*expected 1"),
        ({"dynamics": Simultaneous()}, "dynamics=.*expected dynamics=alternating"),
        ({"critic_schedule": Piecewise([[1.0, 0.5], [2.0, 0.5]])}, "schedule_critic=Piecewise.*expected null"),
        ({"trainer": TrainerSettings(compile=True)}, "trainer.compile=true.*expected false"),
        ({"trainer": TrainerSettings(diagnose_every=5)}, "diagnose_every=5.*expected null"),
        ({"model": DCGAN(base_width=2, batch_norm_discriminator=True)}, "discriminator has batch norm"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_belongs_to_another_game_is_refused(changes, words):
    run()
    if "model" in changes:
        changes = changes | {"data": type("Larger", (), vars(Data) | {"sample_shape": (3, 16, 16)})()}
    with pytest.raises(ValueError, match=words):
        run(**changes)


@pytest.mark.parametrize(
    ("name", "value"),
    [("langevin_shrink", "wrong"), ("generator_gradient", "max"), ("langevin_steps", -1), ("num_chains", 0)]
    + [(name, 0.0) for name in ("delta", "s_ref", "sigma", "cap_generator", "cap_discriminator", "s_z")],
)
def test_settings_out_of_range_are_named(name, value):
    with pytest.raises(ValueError, match=f"{name}={value}: expected"):
        CoopNets(**{name: value})


def test_a_descriptor_of_one_number_has_the_gradient_of_its_formula():
    """`areas` includes layers without parameters."""
    network = Network([Conv2d("0", 1, 1, 2), LeakyReLU(0.0), Reshape((1, 1, 1), (1,))], DCGANNormal(1.0))
    params = network.cut(network.initial(torch.Generator())[None])
    assert areas(network, params, torch.zeros(1, 1, 1, 2, 2)) == [1, 1]
