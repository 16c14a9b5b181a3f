"""A member alone and in company, at any place: the same to the last bit."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from layer_quantities import differences, quantities

from gansweep.layers import BatchNorm, Conv2d, ConvTranspose2d, Dropout, LeakyReLU, Linear, Network, Reshape, Tanh
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


def painter(batch_norm: bool) -> Network:
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


@pytest.mark.parametrize("batch_size", [1, 7, 50, 64])
@pytest.mark.parametrize(
    ("widths", "dropout"),
    [((7, 33, 17, 5), 0.0), ((7, 33, 17, 1), 0.3), ((2, 8, 1), 0.0), ((64, 40, 24, 1), 0.3), ((24, 8, 2), 0.0)],
    ids=str,
)
def test_linear_of_any_sizes(threads, widths, dropout, batch_size):
    """Products whose bits depend on where in memory a member's matrices begin."""
    assert differences(dense(*widths, dropout=dropout), widths[:1], batch_size) == []


def test_linear_with_more_weights_than_one_call_takes(threads):
    """Products that threads share, and biases and slopes summed over more than 32768 numbers."""
    assert differences(dense(257, 300, 130, 1, dropout=0.3), (257,), 130) == []


@pytest.mark.parametrize("batch_norm", [False, True])
def test_convolutions(threads, batch_norm):
    assert differences(critic(11, 3, batch_norm), (3, 11, 11), 7) == []
    assert differences(painter(batch_norm), (5,), 6) == []


def test_single_channel_batch_norm_of_many_pixels(threads):
    """Summed in one go, mean and gradient are one number at K = 1, and threads share the sum."""
    network = Network([BatchNorm("0", 1)], DCGANNormal())
    assert 50 * 28 * 28 > 32768
    assert differences(network, (1, 28, 28), 50) == []


def test_batch_norm_without_pixels(threads):
    assert differences(Network([BatchNorm("0", 33), LeakyReLU(0.2)], DCGANNormal()), (33,), 130) == []


def test_stream_of_a_neighbour_is_never_used():
    """Two members of one seed are one member, whoever is between them."""
    network = dense(7, 33, 17, 1, dropout=0.3)
    first, _, last = quantities(network, (7,), 10, [4, 2, 4])
    assert all(torch.equal(first[name], last[name]) for name in first)


@pytest.mark.parametrize(
    ("network", "shape"),
    [(dense(7, 33, 1, dropout=0.3), (7,)), (dense(64, 64, 8), (64,)), (critic(10, batch_norm=True), (1, 10, 10))],
    ids=["odd", "batched", "convolution"],
)
def test_a_neighbour_of_nan_harms_nobody(network, shape):
    """A mask times NaN or a mean over members would carry it over."""
    alone = {seed: quantities(network, shape, 6, [seed])[0] for seed in (0, 1)}
    left, spoilt, right = quantities(network, shape, 6, [0, 3, 1], spoilt=3)
    assert spoilt["output"].isnan().all()
    for seed, told in ((0, left), (1, right)):
        assert all(torch.equal(told[name], value) for name, value in alone[seed].items())
