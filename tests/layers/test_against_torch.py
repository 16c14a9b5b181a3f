"""Every layer equals the layer of the same name in torch.nn, to second order, in float64."""

from __future__ import annotations

import pytest
import torch
from tests.layers.masks import masks as masks_of_pass
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from gansweep.layers import (
    AppendLabel,
    AvgPool2d,
    BatchNorm,
    Conv2d,
    ConvTranspose2d,
    Dropout,
    LeakyReLU,
    Linear,
    Network,
    Pass,
    Reshape,
    Residual,
    Scale,
    SpectralNorm,
    Tanh,
    Upsample,
)
from gansweep.models.initialisation import DCGANNormal, TorchDefault
from gansweep.seeding import Streams

SEEDS = (3, 1, 2)


class Times(nn.Module):
    """Dropout with a given mask."""

    def __init__(self, mask):
        super().__init__()
        self.mask = mask

    def forward(self, x):
        return x * self.mask


def mlp(masks):
    ours = [Reshape((2, 3, 4), (24,)), Linear("1", 24, 9), LeakyReLU(0.2), Dropout((9,), 0.3), Linear("4", 9, 1)]
    return ours, nn.Sequential(nn.Flatten(), nn.Linear(24, 9), nn.LeakyReLU(0.2), Times(masks[0]), nn.Linear(9, 1))


def smooth(masks):
    ours = [Reshape((2, 3, 4), (24,)), Linear("1", 24, 8), Tanh(), Linear("3", 8, 5), Tanh(), Linear("5", 5, 1)]
    theirs = [nn.Flatten(), nn.Linear(24, 8), nn.Tanh(), nn.Linear(8, 5), nn.Tanh(), nn.Linear(5, 1)]
    return ours, nn.Sequential(*theirs)


def convolutions(masks):
    ours = [
        Conv2d("0", 2, 5, 2, stride=2, padding=0, bias=False),  # the stride does not divide the size
        LeakyReLU(0.2),
        Dropout((5, 1, 2), 0.5),
        ConvTranspose2d("3", 5, 3, 3, stride=2, padding=1),
        LeakyReLU(0.0),
        ConvTranspose2d("5", 3, 2, 4, bias=False),
        Conv2d("6", 2, 1, 3, padding=1),
        Reshape((1, 4, 6), (24,)),
        Linear("8", 24, 1),
    ]
    theirs = [
        nn.Conv2d(2, 5, 2, stride=2, bias=False),
        nn.LeakyReLU(0.2),
        Times(masks[0]),
        nn.ConvTranspose2d(5, 3, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(3, 2, 4, bias=False),
        nn.Conv2d(2, 1, 3, padding=1),
        nn.Flatten(),
        nn.Linear(24, 1),
    ]
    return ours, nn.Sequential(*theirs)


def normalised(masks):
    ours = [
        Conv2d("0", 2, 3, 2),
        BatchNorm("1", 3),
        LeakyReLU(0.2),
        Reshape((3, 2, 3), (18,)),
        Linear("4", 18, 5),
        BatchNorm("5", 5, eps=1e-3, momentum=0.2),
        LeakyReLU(0.2),
        Linear("7", 5, 1),
    ]
    theirs = [
        nn.Conv2d(2, 3, 2),
        nn.BatchNorm2d(3),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(18, 5),
        nn.BatchNorm1d(5, eps=1e-3, momentum=0.2),
        nn.LeakyReLU(0.2),
        nn.Linear(5, 1),
    ]
    return ours, nn.Sequential(*theirs)


class Block(nn.Module):
    """Residual block: shortcut(x) + factor * body(x); the shortcut is the identity if None."""

    def __init__(self, factor, shortcut, *body):
        super().__init__()
        self.factor, self.shortcut, self.body = factor, shortcut, nn.Sequential(*body)

    def forward(self, x):
        return (x if self.shortcut is None else self.shortcut(x)) + self.factor * self.body(x)


class Label(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.embedding = nn.Embedding(1, size)

    def forward(self, x):
        e = self.embedding(torch.zeros(len(x), dtype=torch.int64))
        return torch.cat([x, e / e.norm(dim=1, keepdim=True)], 1)


class Times3(nn.Module):
    def forward(self, x):
        return 0.3 * x


def residual(masks):
    ours = [
        Conv2d("0", 2, 3, 3, padding=1),
        Residual(
            [
                LeakyReLU(0.2),
                Conv2d("1.body.1", 3, 4, 3, padding=1),
                Dropout((4, 3, 4), 0.4),
                Residual([LeakyReLU(0.0), Conv2d("1.body.3.body.1", 4, 4, 1), AvgPool2d(2, 1)], [AvgPool2d(2, 1)]),
                Upsample(),
            ],
            [Conv2d("1.shortcut.0", 3, 4, 2, bias=False), Dropout((4, 2, 3), 0.3), Upsample()],
            0.1,
        ),
        AvgPool2d(3, 2, 1),
        Residual([Conv2d("3.body.0", 4, 4, 3, padding=1)], factor=0.5),
        Scale(0.3),
        Reshape((4, 2, 3), (24,)),
        Linear("6", 24, 1),
    ]
    inner = Block(1.0, nn.AvgPool2d(2, 1), nn.ReLU(), nn.Conv2d(4, 4, 1), nn.AvgPool2d(2, 1))
    in_body, in_shortcut = ([*masks, None])[:2]
    shortcut = nn.Sequential(nn.Conv2d(3, 4, 2, bias=False), Times(in_shortcut), nn.Upsample(scale_factor=2))
    body = [nn.LeakyReLU(0.2), nn.Conv2d(3, 4, 3, 1, 1), Times(in_body), inner, nn.Upsample(scale_factor=2)]
    theirs = [
        nn.Conv2d(2, 3, 3, padding=1),
        Block(0.1, shortcut, *body),
        nn.AvgPool2d(3, 2, 1),
        Block(0.5, None, nn.Conv2d(4, 4, 3, padding=1)),
        Times3(),
        nn.Flatten(),
        nn.Linear(24, 1),
    ]
    return ours, nn.Sequential(*theirs)


def label(masks):
    ours = [
        Reshape((2, 3, 4), (24,)),
        AppendLabel("1.embedding", 3),
        Linear("2", 27, 8),
        Reshape((8,), (2, 2, 2)),
        ConvTranspose2d("4", 2, 3, 5, stride=2, padding=2, output_padding=1),
        LeakyReLU(0.2),
        ConvTranspose2d("6", 3, 1, 5, stride=2, padding=2),
        Reshape((1, 7, 7), (49,)),
        Linear("8", 49, 1),
    ]
    theirs = [
        nn.Flatten(),
        Label(3),
        nn.Linear(27, 8),
        nn.Unflatten(1, (2, 2, 2)),
        nn.ConvTranspose2d(2, 3, 5, 2, 2, output_padding=1),
        nn.LeakyReLU(0.2),
        nn.ConvTranspose2d(3, 1, 5, 2, 2),
        nn.Flatten(),
        nn.Linear(49, 1),
    ]
    return ours, nn.Sequential(*theirs)


def spectral(masks):
    ours = [
        SpectralNorm(Conv2d("0", 2, 3, 2, stride=2, bias=False)),
        LeakyReLU(0.2),
        Dropout((3, 1, 2), 0.3),
        Residual(
            [LeakyReLU(0.1), SpectralNorm(Conv2d("3.body.1", 3, 4, 1))],
            [SpectralNorm(Conv2d("3.shortcut", 3, 4, 1))],
            0.1,
        ),
        Reshape((4, 1, 2), (8,)),
        SpectralNorm(Linear("5", 8, 6)),
        LeakyReLU(0.2),
        SpectralNorm(Linear("7", 6, 1)),
    ]
    theirs = [
        spectral_norm(nn.Conv2d(2, 3, 2, 2, bias=False)),
        nn.LeakyReLU(0.2),
        Times(masks[0]),
        Block(0.1, spectral_norm(nn.Conv2d(3, 4, 1)), nn.LeakyReLU(0.1), spectral_norm(nn.Conv2d(3, 4, 1))),
        nn.Flatten(),
        spectral_norm(nn.Linear(8, 6)),
        nn.LeakyReLU(0.2),
        spectral_norm(nn.Linear(6, 1)),
    ]
    return ours, nn.Sequential(*theirs)


def smooth_spectral(masks):
    ours = [Reshape((2, 3, 4), (24,)), SpectralNorm(Linear("1", 24, 7)), Tanh(), SpectralNorm(Linear("3", 7, 1))]
    theirs = [nn.Flatten(), spectral_norm(nn.Linear(24, 7)), nn.Tanh(), spectral_norm(nn.Linear(7, 1))]
    return ours, nn.Sequential(*theirs)


NETWORKS = pytest.mark.parametrize(
    "build",
    [mlp, smooth, convolutions, normalised, residual, label, spectral, smooth_spectral],
    ids=lambda f: f.__name__,
)


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
