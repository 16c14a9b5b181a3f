"""Layers with labels against torch.nn, and members with labels independent of each other."""

from __future__ import annotations

import pytest
import torch
from layer_quantities import differences
from torch import nn

from gansweep.layers import (
    AppendEmbedding,
    ConditionalBatchNorm,
    Conv2d,
    Embedding,
    FiLM,
    LeakyReLU,
    Linear,
    Network,
    Pass,
    Projection,
    Reshape,
    SpectralNorm,
    Upsample,
)
from gansweep.models.initialisation import DCGANNormal, TorchDefault
from gansweep.seeding import Streams

CLASSES, SIDE = 5, 8


def critic(spectral_norm: bool) -> Network:
    norm = SpectralNorm if spectral_norm else lambda layer: layer
    layers = [Conv2d("0", 1, 5, 4, 2, 1), LeakyReLU(0.2), Reshape((5, 4, 4), (80,))]
    head = Projection([norm(Linear("3", 80, 1))], norm(Embedding("projection", CLASSES, 80, "weight")))
    return Network([*layers, head], DCGANNormal(std=0.3))


def painter() -> Network:
    layers = [
        AppendEmbedding("embedding", CLASSES, 3),
        Linear("0", 6, 63),
        FiLM("film", CLASSES, 63),
        Reshape((63,), (7, 3, 3)),
    ]
    layers += [ConditionalBatchNorm("1", CLASSES, 7), LeakyReLU(0.2), Upsample(), Conv2d("2", 7, 1, 3)]
    return Network(layers, TorchDefault())


@pytest.mark.parametrize(
    ("network", "shape"),
    [(critic(False), (1, SIDE, SIDE)), (critic(True), (1, SIDE, SIDE)), (painter(), (3,))],
    ids=["projection", "projection with spectral norm", "embedding, modulation and batch norm"],
)
@pytest.mark.parametrize("batch_size", [7, 64])
def test_a_member_does_not_depend_on_the_others(network, shape, batch_size, threads):
    """Mistake: a scattered sum, or a product whose rounding depends on the member's place."""
    assert differences(network, shape, batch_size, CLASSES) == []


def two_members(network):
    theta = torch.stack([network.initial(Streams(seed)["init"]) for seed in (1, 2)])
    labels = torch.tensor([[0, 4, 4, 2, 1, 1], [3, 3, 0, 1, 2, 4]])
    params = network.cut(theta)
    return theta, params, Pass(buffers=network.initial_buffers(2, params=params), labels=labels)


def test_projection_is_the_formula_of_the_paper():
    """y^T V phi(x) + psi(phi(x)), Miyato and Koyama 2018, eq. 4, in plain torch for each sample."""
    network = critic(False)
    theta, params, state = two_members(network)
    x = torch.randn(2, 6, 1, SIDE, SIDE)
    y = network(params, x, state)
    for k in range(2):
        saved = network.state_dict(theta, member=k)
        conv = nn.functional.conv2d(x[k], saved["0.weight"], saved["0.bias"], 2, 1)
        phi = nn.functional.leaky_relu(conv, 0.2).flatten(1)
        psi = nn.functional.linear(phi, saved["3.weight"], saved["3.bias"])
        one_hot = nn.functional.one_hot(state.labels[k], CLASSES).float()
        expected = psi + torch.einsum("bc,cf,bf->b", one_hot, saved["projection.weight"], phi)[:, None]
        torch.testing.assert_close(y[k], expected)


@pytest.mark.parametrize("spectral_norm", [False, True])
def test_input_gradient_by_the_chain_of_products_equals_autograd(spectral_norm):
    """Mistake: the penalty of a conditional discriminator without its projection."""
    network = critic(spectral_norm)
    _, params, state = two_members(network)
    x = torch.randn(2, 6, 1, SIDE, SIDE, requires_grad=True)
    expected = torch.autograd.grad(network(params, x, state).sum(), x)[0]
    torch.testing.assert_close(network.input_gradient(params, x, state), expected)


def test_spectral_norm_divides_the_embedding_by_its_largest_singular_value():
    """As `torch.nn.utils.parametrizations.spectral_norm` of an `Embedding`, after many iterations."""
    layer = SpectralNorm(Embedding("e", CLASSES, 4, "weight"))
    network = Network([layer], TorchDefault())
    theta, params, state = two_members(network)
    for _ in range(200):
        state.buffers |= state.updates
        rows = network(params, torch.zeros(2, 6, 1), state)
    table = network.state_dict(theta)["e.parametrizations.weight.original"]
    expected = (table / torch.linalg.matrix_norm(table, 2))[state.labels[0]]
    torch.testing.assert_close(rows[0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_conditional_batch_norm_scales_and_shifts_by_class(training):
    """Against torch's batch norm without scale and shift, times embeddings."""
    layer = ConditionalBatchNorm("n", CLASSES, 7)
    labels = torch.tensor([[0, 4, 4, 2, 1, 1]])
    x, scale, shift = torch.randn(1, 6, 7, 3, 3), torch.randn(1, CLASSES, 7), torch.randn(1, CLASSES, 7)
    norm = nn.BatchNorm2d(7, affine=False).train(training)
    buffers = {"n.running_mean": torch.randn(1, 7), "n.running_var": torch.rand(1, 7) + 0.5}
    norm.running_mean, norm.running_var = (value[0].clone() for value in buffers.values())
    state = Pass(buffers=buffers, training=training, labels=labels)
    y = layer.forward([scale, shift], x, state)
    expected = norm(x[0]) * scale[0, labels[0], :, None, None] + shift[0, labels[0], :, None, None]
    torch.testing.assert_close(y[0], expected)
    if training:
        torch.testing.assert_close(state.updates["n.running_var"][0], norm.running_var)


def test_an_embedding_of_length_one_is_appended():
    """Mistake: an embedding as long as z, which hides z."""
    table, x = torch.randn(1, CLASSES, 4), torch.randn(1, 3, 2)
    y = AppendEmbedding("e", CLASSES, 4).forward([table], x, Pass(labels=torch.tensor([[2, 0, 2]])))
    expected = nn.functional.normalize(table[0])[[2, 0, 2]]
    torch.testing.assert_close(y[0], torch.cat([x[0], expected], 1))


@pytest.mark.parametrize("shape", [(7,), (7, 3, 3)])
def test_film_scales_and_shifts_by_class(shape):
    """Mistake: the row of another sample."""
    labels = torch.tensor([[0, 4, 4, 2, 1, 1]])
    x, scale, shift = torch.randn(1, 6, *shape), torch.randn(1, CLASSES, 7), torch.randn(1, CLASSES, 7)
    y = FiLM("film", CLASSES, 7).forward([scale, shift], x, Pass(labels=labels))
    for n, label in enumerate(labels[0]):
        for feature in range(7):
            expected = scale[0, label, feature] * x[0, n, feature] + shift[0, label, feature]
            torch.testing.assert_close(y[0, n, feature], expected)


def test_a_pass_without_labels_is_refused():
    network = painter()
    theta = network.initial(Streams(0)["init"])[None]
    with pytest.raises(ValueError, match="needs the label of every sample"):
        network(network.cut(theta), torch.zeros(1, 2, 3), Pass(buffers=network.initial_buffers(1)))
