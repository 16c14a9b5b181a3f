"""A member's results are bitwise independent of the other members and of its index."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from layer_quantities import differences, quantities

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
    Reshape,
    Residual,
    SpectralNorm,
    Tanh,
    Upsample,
)
from gansweep.models.initialisation import DCGANNormal, TorchDefault


def dense(*widths: int, dropout: float = 0.0) -> Network:
    layers = []
    for narrow, wide in pairwise(widths[:-1]):
        layers += [Linear(f"{len(layers)}", narrow, wide), LeakyReLU(0.2)]
        if dropout:
            layers.append(Dropout((wide,), dropout))
    layers.append(Linear(f"{len(layers)}", *widths[-2:]))
    return Network(layers, TorchDefault())


def critic(side: int, channels: int = 1, batch_norm: bool = False) -> Network:
    layers = [Conv2d("0", channels, 5, 4, 2, 1), LeakyReLU(0.2), Conv2d("2", 5, 9, 3, 2, 0)]
    if batch_norm:
        layers.append(BatchNorm("3", 9))
    small = ((side // 2) - 3) // 2 + 1
    layers += [LeakyReLU(0.2), Reshape((9, small, small), (9 * small * small,)), Linear("7", 9 * small * small, 1)]
    return Network(layers, DCGANNormal())


def generator(batch_norm: bool) -> Network:
    layers = [Linear("0", 5, 63), Reshape((63,), (7, 3, 3))]
    if batch_norm:
        layers.append(BatchNorm("2", 7))
    layers += [
        LeakyReLU(0.0),
        ConvTranspose2d("3", 7, 5, 4, 2, 1),
        LeakyReLU(0.2),
        ConvTranspose2d("5", 5, 1, 3),
        Tanh(),
    ]
    return Network(layers, DCGANNormal())


def residual_critic() -> Network:
    """Residual blocks with and without a learned shortcut; all weights have spectral normalisation."""
    body = [LeakyReLU(0.2), SpectralNorm(Conv2d("1.body.1", 5, 5, 3, padding=1))]
    widening = [LeakyReLU(0.2), SpectralNorm(Conv2d("3.body.1", 5, 9, 3, padding=1))]
    layers = [
        SpectralNorm(Conv2d("0", 3, 5, 3, padding=1)),
        Residual(body, factor=0.1),
        AvgPool2d(3, 2, 1),
        Residual(widening, [SpectralNorm(Conv2d("3.shortcut", 5, 9, 1, bias=False))], 0.1),
        Reshape((9, 6, 6), (324,)),
        LeakyReLU(0.2),
        SpectralNorm(Linear("6", 324, 1)),
    ]
    return Network(layers, TorchDefault())


def residual_painter() -> Network:
    body = [Upsample(), LeakyReLU(0.0), Conv2d("3.body.1", 7, 3, 3, padding=1)]
    layers = [
        AppendLabel("0", 2),
        Linear("1", 7, 63),
        Reshape((63,), (7, 3, 3)),
        Residual(body, [Conv2d("3.shortcut", 7, 3, 1, bias=False), Upsample()], 0.1),
        ConvTranspose2d("4", 3, 1, 5, 2, 2, output_padding=1),
        Tanh(),
    ]
    return Network(layers, TorchDefault())


@pytest.mark.parametrize("batch_size", [1, 7, 50, 64])
@pytest.mark.parametrize(
    ("widths", "dropout"),
    [((7, 33, 17, 5), 0.0), ((7, 33, 17, 1), 0.3), ((2, 8, 1), 0.0), ((64, 40, 24, 1), 0.3), ((24, 8, 2), 0.0)],
    ids=str,
)
def test_linear_of_any_sizes(threads, widths, dropout, batch_size):
    """Matrix products whose rounding depends on the memory alignment of a member's matrices."""
    assert differences(dense(*widths, dropout=dropout), widths[:1], batch_size) == []


def test_linear_above_the_size_of_one_batched_product(threads):
    """Products split over threads, and gradients of biases summed over more than 32768 numbers."""
    assert differences(dense(257, 300, 130, 1, dropout=0.3), (257,), 130) == []


@pytest.mark.parametrize("batch_norm", [False, True])
def test_convolutions(threads, batch_norm):
    assert differences(critic(11, 3, batch_norm), (3, 11, 11), 7) == []
    assert differences(generator(batch_norm), (5,), 6) == []


@pytest.mark.parametrize("batch_size", [1, 7, 20])
def test_residual_blocks(threads, batch_size):
    """Small kernels, which torch computes as a matrix product for one thread and a small batch."""
    assert differences(residual_critic(), (3, 11, 11), batch_size) == []
    assert differences(residual_painter(), (5,), batch_size) == []


def test_label_embedding_of_length_1(threads):
    assert differences(Network([AppendLabel("0", 1)], TorchDefault()), (1,), 64) == []


@pytest.mark.parametrize("widths", [(7, 33, 17, 1), (257, 300, 1), (40_000, 2, 1)], ids=str)
def test_spectral_norm(threads, widths):
    """Sums over more than 32768 numbers, which are split over threads at K = 1 only."""
    layers = []
    for narrow, wide in pairwise(widths):
        layers += [SpectralNorm(Linear(f"{len(layers)}", narrow, wide)), LeakyReLU(0.2)]
    assert differences(Network(layers[:-1], TorchDefault()), widths[:1], 5) == []


def test_spectral_norm_with_batch_norm():
    """In double backward, a weight's gradient has another memory layout at K = 1."""
    layers = [
        SpectralNorm(Conv2d("0", 1, 4, 4, 2, 1)),
        LeakyReLU(0.2),
        SpectralNorm(Conv2d("2", 4, 8, 4, 2, 1)),
        BatchNorm("3", 8),
        LeakyReLU(0.2),
        SpectralNorm(Conv2d("5", 8, 1, 4)),
        Reshape((1, 1, 1), (1,)),
    ]
    assert differences(Network(layers, DCGANNormal()), (1, 16, 16), 6) == []


def test_single_channel_batch_norm_of_many_pixels(threads):
    """A single sum would be a full reduction at K = 1, which torch splits over threads."""
    network = Network([BatchNorm("0", 1)], DCGANNormal())
    assert 50 * 28 * 28 > 32768
    assert differences(network, (1, 28, 28), 50) == []


def test_batch_norm_without_pixels(threads):
    assert differences(Network([BatchNorm("0", 33), LeakyReLU(0.2)], DCGANNormal()), (33,), 130) == []


def test_random_streams_of_other_members_are_not_used():
    """Two members with equal seeds are equal, also with another member between them."""
    network = dense(7, 33, 17, 1, dropout=0.3)
    first, _, last = quantities(network, (7,), 10, [4, 2, 4])
    assert all(torch.equal(first[name], last[name]) for name in first)


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        (dense(7, 33, 1, dropout=0.3), (7,)),
        (dense(64, 64, 8), (64,)),
        (critic(10, batch_norm=True), (1, 10, 10)),
        (residual_critic(), (3, 11, 11)),
        (residual_painter(), (5,)),
    ],
    ids=["odd", "batched", "convolution", "residual", "generator"],
)
def test_nan_of_a_member_does_not_affect_the_others(network, shape):
    """A mask times NaN, or a mean over members, would propagate it."""
    alone = {seed: quantities(network, shape, 6, [seed])[0] for seed in (0, 1)}
    left, broken, right = quantities(network, shape, 6, [0, 3, 1], nan_seed=3)
    assert broken["output"].isnan().all()
    for seed, values in ((0, left), (1, right)):
        assert all(torch.equal(values[name], value) for name, value in alone[seed].items())
