"""Every layer equals the layer of the same name in torch.nn, to second order, in float64."""

from __future__ import annotations

import torch
from tests.layers.masks import masks as masks_of_pass
from tests.layers.torch_networks import NETWORKS, Times

from gansweep.layers import (
    BatchNorm,
    Network,
    Pass,
)
from gansweep.models.initialisation import DCGANNormal, TorchDefault
from gansweep.seeding import Streams

SEEDS = (3, 1, 2)


def pack(build):
    """Return a network of three members with inputs and masks, and equal torch modules."""
    network = Network(build([None])[0], DCGANNormal(std=0.4))
    streams = [Streams(seed) for seed in SEEDS]
    theta = torch.stack([network.initial(stream["init"]) for stream in streams]).double()
    theta += 0.1 * torch.randn(theta.shape, generator=torch.Generator().manual_seed(0))  # nonzero biases
    masks = [mask.double() for mask in masks_of_pass(network, 6, SEEDS)]
    x = torch.stack([torch.randn(6, 2, 3, 4, generator=stream["x"]) for stream in streams]).double()
    buffers = {
        name: torch.rand(buffer.shape, generator=torch.Generator().manual_seed(1)).double() + 0.5
        for name, buffer in network.initial_buffers(len(SEEDS)).items()
    }
    theirs = []
    for k in range(len(SEEDS)):
        module = build([mask[k] for mask in masks] or [None])[1].double()
        module.load_state_dict(network.state_dict(theta, buffers, k))
        theirs.append(module)
    params = [p.detach().requires_grad_() for p in network.cut(theta)]
    return network, params, x.requires_grad_(), Pass(masks, buffers), theirs


@NETWORKS
def test_outputs_gradients_and_running_statistics(build):
    network, params, x, state, theirs = pack(build)
    y = network(params, x, state)
    v = torch.randn(y.shape, generator=torch.Generator().manual_seed(7)).double()
    gradients = torch.autograd.grad(y, [x, *params], v)
    for k, module in enumerate(theirs):
        expected = module(x[k])
        torch.testing.assert_close(y[k], expected, rtol=1e-12, atol=1e-13)
        wanted = torch.autograd.grad(expected, [x, *module.parameters()], v[k])
        torch.testing.assert_close(gradients[0][k], wanted[0][k], rtol=1e-11, atol=1e-13)
        names = [name for name, _ in module.named_parameters()]
        by_name = {slot.name: gradient[k] for slot, gradient in zip(network.slots, gradients[1:], strict=True)}
        assert set(names) == set(by_name)
        for name, value in zip(names, wanted[1:], strict=True):
            torch.testing.assert_close(by_name[name], value, rtol=1e-11, atol=1e-13, msg=name)
        for name, value in state.updates.items():
            torch.testing.assert_close(value[k], module.state_dict()[name], rtol=1e-12, atol=1e-13)
    assert set(state.updates) == {slot.name for slot in network.buffers}


@NETWORKS
def test_gradient_penalty_against_double_backward(build):
    """The explicit input gradient, and its derivatives with respect to the parameters."""
    network, params, x, state, theirs = pack(build)
    input_gradient = network.input_gradient(params, x, state)
    penalty = (input_gradient.flatten(2).norm(dim=2) - 0.1).square().mean(1)
    ours = torch.autograd.grad(penalty.sum(), params, allow_unused=True)
    for k, module in enumerate(theirs):
        at = x[k].detach().requires_grad_()
        (expected,) = torch.autograd.grad(module(at).sum(), at, create_graph=True)
        torch.testing.assert_close(input_gradient[k], expected, rtol=1e-11, atol=1e-13)
        value = (expected.flatten(1).norm(dim=1) - 0.1).square().mean()
        named = dict(module.named_parameters())
        wanted = torch.autograd.grad(value, list(named.values()), allow_unused=True)
        for name, gradient in zip(named, wanted, strict=True):
            ours_k = ours[[slot.name for slot in network.slots].index(name)]
            if gradient is None or not gradient.any():
                assert ours_k is None or not ours_k[k].any(), name
            else:
                torch.testing.assert_close(ours_k[k], gradient, rtol=1e-9, atol=1e-12, msg=name)


@NETWORKS
def test_evaluation_uses_running_statistics_and_no_masks(build):
    network, params, x, state, theirs = pack(build)
    y = network(params, x, Pass((), state.buffers, training=False))
    for k, module in enumerate(theirs):
        for part in module.modules():
            if isinstance(part, Times):
                part.mask = 1.0
        torch.testing.assert_close(y[k], module.eval()(x[k]), rtol=1e-12, atol=1e-13)


@NETWORKS
def test_row_of_a_torch_state_dict(build):
    network, params, x, state, theirs = pack(build)
    rows, buffers = zip(*(network.row(module.state_dict()) for module in theirs), strict=True)
    stacked = {name: torch.stack([member[name] for member in buffers]) for name in buffers[0]}
    y = network(network.cut(torch.stack(rows)), x, Pass(state.masks, stacked))
    assert torch.equal(y, network(params, x, state))


def test_batch_norm_variance_is_finite_for_a_single_value():
    network = Network([BatchNorm("0", 2)], TorchDefault())
    theta = network.initial(Streams(0)["init"])[None]
    state = Pass((), network.initial_buffers(1))
    network(network.cut(theta), torch.ones(1, 1, 2), state)
    assert all(value.isfinite().all() for value in state.updates.values())
