"""MLP: fully connected generator and discriminator."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from gansweep.interfaces import Initialisation
from gansweep.layers import (
    Dropout,
    Embedding,
    FiLM,
    Layer,
    LeakyReLU,
    Linear,
    Network,
    Projection,
    Reshape,
    Scale,
    SpectralNorm,
    Tanh,
)
from gansweep.models.initialisation import TorchDefault


@dataclass(frozen=True)
class MLP:
    """MLP: fully connected generator and discriminator, for images and for points.

        G(z) = tanh(W h),   h = leaky(W ... leaky(W z)),   without the tanh for points
        D(x) = W h,         h = dropout(leaky(W ... dropout(leaky(W x))))

    Hosgood, Sergeev and Moussaif 2022, "Study of Optimiser Performance for Wasserstein Loss
    Function in GANs". The default sizes are theirs: at (1, 28, 28) the generator has 1,493,520
    parameters and the discriminator 1,460,225. The networks have no normalisation layers.

    conf/model has other sizes, from other papers.

    With `conditional`, a scale and a shift of every class (`FiLM`) follow the hidden layers of G, as the conditional
    batch norm of Miyato and Koyama 2018, arXiv:1802.05637, without the normalisation. D is a projection
    discriminator: D(x) = W h + v_c . h (eq. 4 of the same paper).

    Args:
        latent_dim: dimension of z.
        generator_widths: widths of the hidden layers of the generator, from z to the sample.
        discriminator_widths: widths of the hidden layers of the discriminator, from the sample to
            the logit.
        activation: activation of the hidden layers of both networks: leaky_relu or tanh.
        slope: negative slope of the leaky ReLUs; 0 for ReLUs.
        dropout: probability that a hidden unit of the discriminator is dropped in training; 0
            disables dropout.
        input_factor: factor by which the discriminator multiplies its input; 1/4 for a ring of radius 2.
        spectral_norm: use spectral normalisation for every weight of the discriminator.
        initialisation: distribution of the initial parameters.
        dropout_in_evaluation: apply dropout in the discriminator also in evaluation. It reproduces
            code that calls `F.dropout` without the argument `training`. It does not change the
            training.
        conditional: both networks get the class of every sample; for data with labels.
    """

    latent_dim: int = 128
    generator_widths: tuple[int, ...] = (256, 512, 1024)
    discriminator_widths: tuple[int, ...] = (1024, 512, 256)
    activation: Literal["leaky_relu", "tanh"] = "leaky_relu"
    slope: float = 0.2
    dropout: float = 0.3
    input_factor: float = 1.0
    spectral_norm: bool = False
    initialisation: Initialisation = field(default_factory=TorchDefault)
    dropout_in_evaluation: bool = False
    conditional: bool = False

    def __post_init__(self) -> None:
        if self.latent_dim < 1:
            raise ValueError(f"latent_dim={self.latent_dim}: expected 1 or more")
        for name in ("generator_widths", "discriminator_widths"):
            widths = tuple(getattr(self, name))
            object.__setattr__(self, name, widths)
            if not widths or min(widths) < 1:
                raise ValueError(f"{name}={list(widths)}: expected one width or more, each 1 or more")
        if self.activation not in ("leaky_relu", "tanh"):
            raise ValueError(f"activation={self.activation}: expected leaky_relu or tanh")
        if not 0 <= self.slope < 1:
            raise ValueError(f"slope={self.slope}: expected 0 <= slope < 1, 0 for a ReLU")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout={self.dropout}: expected a probability 0 <= dropout < 1")
        if not 0 < self.input_factor < math.inf:
            raise ValueError(f"input_factor={self.input_factor}: expected a number above 0")

    def generator(self, sample_shape: tuple[int, ...], num_classes: int = 0) -> Network:
        """Return the generator: z (K, B, latent_dim) -> samples (K, B, *sample_shape)."""
        _check(sample_shape)
        layers: list[Layer] = []
        width = self.latent_dim
        for n, wider in enumerate(self.generator_widths):
            layers.append(Linear(f"{2 * n}", width, wider))
            if num_classes:
                layers.append(FiLM(f"modulation.{n}", num_classes, wider))
            layers.append(self._activation())
            width = wider
        size = math.prod(sample_shape)
        layers.append(Linear(f"{2 * len(self.generator_widths)}", width, size))
        if len(sample_shape) == 3:
            layers += [Tanh(), Reshape((size,), sample_shape)]
        return Network(layers, self.initialisation)

    def discriminator(self, sample_shape: tuple[int, ...], num_classes: int = 0) -> Network:
        """Return the discriminator: samples (K, B, *sample_shape) -> logits (K, B, 1)."""
        _check(sample_shape)
        width = math.prod(sample_shape)
        layers: list[Layer] = [Reshape(sample_shape, (width,))] if len(sample_shape) == 3 else []
        index = len(layers)
        if self.input_factor != 1:
            layers.append(Scale(self.input_factor))
        for narrower in self.discriminator_widths:
            layers += [self._normalised(Linear(f"{index}", width, narrower)), self._activation()]
            if self.dropout > 0:
                layers.append(Dropout((narrower,), self.dropout, self.dropout_in_evaluation))
            width = narrower
            index += 3  # also without dropout, so that parameter names do not depend on it
        head = self._normalised(Linear(f"{index}", width, 1))
        if num_classes:
            head = Projection([head], self._normalised(Embedding("projection", num_classes, width, "weight")))
        layers.append(head)
        return Network(layers, self.initialisation)

    def _activation(self) -> Layer:
        return Tanh() if self.activation == "tanh" else LeakyReLU(self.slope)

    def _normalised(self, layer: Linear | Embedding) -> Layer:
        return SpectralNorm(layer) if self.spectral_norm else layer


def _check(sample_shape: tuple[int, ...]) -> None:
    if len(sample_shape) not in (1, 3):
        raise ValueError(f"mlp makes points (D,) and images (C, H, W); samples of the data have shape {sample_shape}")
