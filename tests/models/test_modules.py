"""Plain torch modules as networks: values, gradients, buffers, random numbers, and what is refused."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.layers.masks import masks as masks_of_pass
from tests.models import plain_nets as nets
from torch import nn

sys.path.append(str(Path(__file__).parents[1] / "layers"))
from layer_quantities import differences, quantities

from gansweep.layers import Pass
from gansweep.models.initialisation import Orthogonal
from gansweep.models.modules import ModuleNetwork, Modules
from gansweep.seeding import Streams
from gansweep.user_code import Factory

SHAPE = (1, 8, 8)


def pair(generator, discriminator, **settings):
    return Modules(generator, discriminator, **settings)


IMAGES = pair(Factory(nets.Generator), Factory(nets.Critic))
SPECTRAL = pair(Factory(nets.Generator, {"width": 9}), Factory(nets.Critic, {"spectral": True, "dropout": 0.3}))
NORMED = pair(Factory(nets.Generator, {"norm": False}), Factory(nets.NormedCritic))
POINTS = pair(Factory(nets.Points, {"inputs": 3, "outputs": 2}), Factory(nets.Points, {"dropout": 0.4}))
WIDE = pair(Factory(nets.Points, {"inputs": 3, "outputs": 2, "width": 300}), Factory(nets.Points, {"width": 257}))


@pytest.mark.parametrize("model", [IMAGES, SPECTRAL, NORMED], ids=["images", "spectral norm", "batch norm"])
@pytest.mark.parametrize("batch_size", [2, 7])
def test_members_of_image_networks_are_bit_independent(model, batch_size):
    assert differences(model.generator(SHAPE), (model.latent_dim,), batch_size) == []
    assert differences(model.discriminator(SHAPE), SHAPE, batch_size) == []


@pytest.mark.parametrize("model", [POINTS, WIDE], ids=["dropout", "wide"])
@pytest.mark.parametrize("batch_size", [3, 50])
def test_members_of_networks_on_points_are_bit_independent(model, batch_size):
    """Products of sizes whose rounding depends on the alignment of the memory."""
    assert differences(model.generator((2,)), (3,), batch_size) == []
    assert differences(model.discriminator((2,)), (2,), batch_size) == []


def test_a_nan_member_does_not_affect_the_others():
    network = NORMED.discriminator(SHAPE)
    alone = quantities(network, SHAPE, 6, [1])[0]
    broken, beside = quantities(network, SHAPE, 6, [3, 1], nan_seed=3)
    assert broken["output"].isnan().all()
    assert all(torch.equal(beside[name], value) for name, value in alone.items())


def of_members(network, seeds=(1, 2)):
    """Return parameters, initial buffers and modules of the same values."""
    streams = [Streams(seed)["init"] for seed in seeds]
    params = network.cut(torch.stack([network.initial(stream) for stream in streams]))
    buffers = network.initial_buffers(len(seeds), params=params, generators=streams)
    states = [{s.name: p[k] for s, p in zip(network.slots, params, strict=True)} for k in range(len(seeds))]
    modules = [network.module(s | {n: b[k] for n, b in buffers.items()}) for k, s in enumerate(states)]
    return params, buffers, modules


@pytest.mark.parametrize("way", ["one_by_one", "together"])
@pytest.mark.parametrize("model", [IMAGES, NORMED], ids=["images", "batch norm"])
def test_output_gradients_and_statistics_are_those_of_the_modules(model, way):
    """In both ways of computing the members; statistics of several passes, of which the last is evaluation."""
    network = model.discriminator(SHAPE)
    layer = network.layers[0]
    params, buffers, modules = of_members(network)
    params = [p.requires_grad_() for p in params]
    for training in (True, True, False):
        x = torch.randn(2, 5, *SHAPE)
        y, updates = getattr(layer, way)(params, buffers, x, Pass((), buffers, training))
        outputs = [module.train(training)(sample).reshape(5, 1) for module, sample in zip(modules, x, strict=True)]
        assert torch.allclose(y, torch.stack(outputs), atol=1e-6)
        gradients = torch.autograd.grad(y.square().sum(), params)
        for k, (module, output) in enumerate(zip(modules, outputs, strict=True)):
            own = torch.autograd.grad(output.square().sum(), [p for p in module.parameters() if p.requires_grad])
            for gradient, value in zip(gradients, own, strict=True):
                assert torch.allclose(gradient[k], value, rtol=1e-4, atol=1e-6)
            for name, value in module.named_buffers():
                assert torch.allclose(updates[name][k], value, atol=1e-6), name
        buffers = updates if training else buffers


def test_spectral_norm_iterates_from_the_given_vectors_and_leaves_them():
    """Two passes from the same buffers have the same result, and the buffers that they return are torch's."""
    network = SPECTRAL.discriminator(SHAPE)
    params, buffers, modules = of_members(network)
    before = {name: value.clone() for name, value in buffers.items()}
    masks = [torch.zeros(2, 3, 62)]
    x = torch.randn(2, 3, *SHAPE)
    first, second = Pass(masks, buffers), Pass(masks, buffers)
    assert torch.equal(network(params, x, first), network(params, x, second))
    assert all(torch.equal(buffers[name], value) for name, value in before.items())
    assert any(not torch.equal(first.updates[name], value) for name, value in before.items())
    for k, module in enumerate(modules):
        module.train()(x[k])
        for name, value in module.named_buffers():
            assert torch.allclose(first.updates[name][k], value, atol=1e-6)


def test_masks_determine_the_random_numbers_of_a_pass():
    """Equal masks give equal numbers, others give others, and torch's global generator does not move."""
    network, state = POINTS.discriminator((2,)), torch.random.get_rng_state()
    assert len(network.draws) == 1
    params, buffers, _ = of_members(network, (1, 1))
    masks = masks_of_pass(network, 50, (4, 5))
    x = torch.randn(50, 2, generator=torch.Generator().manual_seed(0)).expand(2, 50, 2)
    y, repeated = (network(params, x, Pass(masks, buffers)) for _ in range(2))
    assert torch.equal(y, repeated)
    assert not torch.equal(y[0], y[1])
    assert torch.equal(torch.random.get_rng_state(), state)
    assert not POINTS.generator((2,)).draws  # its dropout has p = 0


def test_initial_values_are_those_of_the_constructor_with_the_seed_of_the_stream():
    network, stream, state = NORMED.discriminator(SHAPE), Streams(3)["init"], torch.random.get_rng_state()
    theta = network.initial(stream)
    buffers = network.initial_buffers(1, generators=[stream])
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(stream.initial_seed())
    module = nets.NormedCritic()
    assert torch.equal(theta, torch.cat([p.flatten() for p in module.parameters() if p.requires_grad]))
    assert torch.equal(buffers["frozen.weight"][0], module.frozen.weight)
    assert not torch.equal(theta, network.initial(Streams(4)["init"]))


def test_an_initialisation_draws_the_weights_of_layers_and_keeps_other_parameters():
    network = pair(Factory(nets.Generator), Factory(nets.Critic), initialisation=Orthogonal(gain=2.0)).generator(SHAPE)
    _, _, (module, _) = of_members(network)
    first = module.first.weight.detach()
    assert torch.allclose(first.T @ first, 4 * torch.eye(5), atol=1e-5)
    assert module.attention.factor.item() == 0.5
    assert module.norm.weight.eq(1).all()
    assert module.up.bias.eq(0).all()


def test_spectral_norm_starts_at_the_weights_of_the_initialisation():
    """sigma of the first pass is close to the largest singular value, 2 for an orthogonal weight."""
    critic = Factory(nets.Critic, {"spectral": True})
    network = pair(Factory(nets.Generator), critic, initialisation=Orthogonal(gain=2.0)).discriminator(SHAPE)
    _, _, (module, _) = of_members(network)
    weight = module.layers[0].weight.detach().flatten(1)
    assert torch.allclose(torch.linalg.matrix_norm(weight, 2), torch.ones(()), atol=1e-4)


def test_roles_and_fan_in_are_those_of_the_layers():
    slots = {slot.name: (slot.role, slot.fan_in) for slot in SPECTRAL.discriminator(SHAPE).slots}
    assert slots["layers.0.parametrizations.weight.original"] == ("weight", 16)
    assert slots["layers.0.bias"] == ("bias", 16)
    assert slots["layers.2.weight"] == ("scale", 0)
    assert slots["layers.2.bias"] == ("shift", 0)
    slots = {slot.name: (slot.role, slot.fan_in) for slot in IMAGES.generator(SHAPE).slots}
    assert slots["up.weight"] == ("weight", 16)
    assert slots["attention.factor"] == ("weight", 0)


def test_a_shared_parameter_is_trained_once():
    network = ModuleNetwork(Factory(nets.Tied), (2,))
    assert [slot.name for slot in network.slots] == ["first.weight", "first.bias", "second.bias"]
    params, buffers, modules = of_members(network)
    x = torch.randn(2, 4, 2)
    expected = torch.stack([module(sample) for module, sample in zip(modules, x, strict=True)])
    assert torch.allclose(network(params, x, Pass((), buffers)), expected)


@pytest.mark.parametrize("way", ["one_by_one", "together"])
def test_an_assigned_buffer_is_kept(way):
    network = ModuleNetwork(Factory(nets.Assigns), (2,))
    params, buffers, _ = of_members(network)
    x = torch.randn(2, 4, 2)
    _, updates = getattr(network.layers[0], way)(params, buffers, x, Pass((), buffers))
    assert torch.allclose(updates["mean"], 0.5 * x.mean(1))
    assert buffers["mean"].eq(0).all()


def test_members_are_computed_one_by_one_where_vmap_refuses(monkeypatch):
    """As on an accelerator: spectral norm writes to its vectors, which vmap does not support."""
    network = pair(Factory(nets.Generator), Factory(nets.Critic, {"spectral": True})).discriminator(SHAPE)
    layer = network.layers[0]
    params, buffers, _ = of_members(network)
    x, state = torch.randn(2, 3, *SHAPE), Pass((), buffers)
    y, updates = layer._together_if_possible(params, buffers, x, state)
    expected, of_loop = layer.one_by_one(params, buffers, x, state)
    assert not layer.supports_vmap
    assert torch.equal(y, expected)
    assert all(torch.equal(updates[name], value) for name, value in of_loop.items())


def test_arguments_that_follow_from_the_data_are_passed():
    model = pair(Factory(nets.Generator), Factory(nets.Critic), latent_dim=11)
    assert model.generator(SHAPE).new(0).first.in_features == 11
    assert pair(Factory(nets.Generator, {"latent_dim": 6}), Factory(nets.Critic)).latent_dim == 6
    assert pair(Factory(nets.Points, {"inputs": 3, "outputs": 2}), Factory(nets.Critic)).latent_dim == 3


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (nets.WrongShape, r"maps \(4, 2\) to \(4, 1\), expected \(4, 2\)"),
        (nets.Transposed, r"maps \(4, 2\) to \(2, 4\)"),
        (nets.NotFinite, "output is not finite"),
        (nets.Raises, r"forward of inputs \(4, 2\) raised .*plain_nets.py:\d+: RuntimeError: mat1 and mat2"),
        (nets.CountsItsCalls, "differs between two passes"),
        (nets.DropoutInEvaluation, "draws random numbers in evaluation mode"),
        (nets.DrawsFromNumpy, "Python's or numpy's"),
        (nets.InitialisedByPython, "initial values of layer.weight differ"),
        (nets.UnusedLayer, "does not depend on the parameters other.weight, other.bias"),
        (nets.Detached, "does not depend on the parameters; look for detach"),
        (nets.ClipsItself, "forward changes the parameter layer.weight"),
        (nets.Lazy, "has lazy layers"),
        (nets.Half, "is torch.float16, expected torch.float32"),
        (nets.Empty, "has no parameters"),
        (nets.NoModule, "expected a subclass of torch.nn.Module"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_mistake_is_named_before_training(mistake, words):
    python, numpy = random.getstate(), np.random.get_state()
    with pytest.raises(ValueError, match=rf"^generator=.*plain_nets.{mistake.__name__}: .*{words}"):
        pair(Factory(mistake), Factory(nets.Critic)).generator((2,))
    random.setstate(python)
    np.random.set_state(numpy)


def test_a_generator_without_latent_dim_is_refused():
    with pytest.raises(ValueError, match=r"^latent_dim=null: .*WithoutLatentDim has no attribute latent_dim"):
        pair(Factory(nets.WithoutLatentDim), Factory(nets.Critic))
    assert pair(Factory(nets.WithoutLatentDim), Factory(nets.Critic), latent_dim=2).generator((2,)).num_parameters == 6


def test_a_discriminator_with_several_outputs_is_refused():
    with pytest.raises(ValueError, match=r"^discriminator=.*maps \(4, 2\) to \(4, 2\), expected \(4, 1\)"):
        pair(Factory(nets.Base), Factory(nets.Base)).discriminator((2,))


def test_a_plain_module_has_the_values_of_a_state_dict():
    network = NORMED.discriminator(SHAPE)
    theta, buffers = torch.randn(2, network.num_parameters), network.initial_buffers(2)
    module = network.module(network.state_dict(theta, buffers, 1))
    assert isinstance(module, nets.NormedCritic)
    assert not module.training
    x = torch.randn(2, 4, *SHAPE)
    assert torch.allclose(module(x[1]), network(network.cut(theta), x, Pass((), buffers, training=False))[1])
    assert isinstance(module.norm, nn.BatchNorm2d)
    with pytest.raises(ValueError, match="lacks"):
        network.module({})


class Exits:
    def __init__(self):
        sys.exit(0)


class ChangesDtype:
    def __init__(self):
        torch.set_default_dtype(torch.float64)


@pytest.mark.parametrize(("cls", "words"), [(Exits, "ends the process"), (ChangesDtype, "default dtype")])
def test_constructors_that_affect_the_process_are_refused(cls, words):
    with pytest.raises(ValueError, match=words):
        Factory(cls)()
    assert torch.get_default_dtype() == torch.float32
