"""Fully connected generator and discriminator."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from gansweep.interfaces import Initialisation
from gansweep.layers import Dropout, Layer, LeakyReLU, Linear, Network, Reshape, Tanh
from gansweep.models.initialisation import TorchDefault


@dataclass(frozen=True)
class MLP:
    """Fully connected networks of any sizes, for images and for points.

        G(z) = tanh(W h),   h = leaky(W ... leaky(W z)),   without the tanh for points
        D(x) = W h,         h = dropout(leaky(W ... dropout(leaky(W x))))

    Hosgood, Sergeev and Moussaif 2022, "Study of Optimiser Performance for Wasserstein Loss
    Function in GANs". The defaults are theirs: at (1, 28, 28) the generator has 1,493,520
    parameters and the discriminator 1,460,225. There is no normalisation anywhere.

    Args:
        latent_dim: numbers in z.
        generator_widths: hidden layers of the generator, from z to the sample.
        discriminator_widths: hidden layers of the discriminator, from the sample to the logit.
        slope: of the leaky ReLUs for negative inputs.
        dropout: chance that a hidden unit of the discriminator is dropped in training; 0 for none.
        initialisation: the law of the first parameters.
    """

    latent_dim: int = 128
    generator_widths: tuple[int, ...] = (256, 512, 1024)
    discriminator_widths: tuple[int, ...] = (1024, 512, 256)
    slope: float = 0.2
    dropout: float = 0.3
    initialisation: Initialisation = field(default_factory=TorchDefault)

    def __post_init__(self) -> None:
        if self.latent_dim < 1:
            raise ValueError(f"latent_dim={self.latent_dim}: expected 1 or more")
        for name in ("generator_widths", "discriminator_widths"):
            widths = tuple(getattr(self, name))
            object.__setattr__(self, name, widths)
            if not widths or min(widths) < 1:
                raise ValueError(f"{name}={list(widths)}: expected one width or more, each 1 or more")
        if not 0 <= self.slope < 1:
            raise ValueError(f"slope={self.slope}: expected 0 <= slope < 1, 0 for a ReLU")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout={self.dropout}: expected a chance 0 <= dropout < 1")

    def generator(self, sample_shape: tuple[int, ...]) -> Network:
        """Build z (K, B, latent_dim) -> samples (K, B, *sample_shape)."""
        _check(sample_shape)
        layers: list[Layer] = []
        width = self.latent_dim
        for wider in self.generator_widths:
            layers += [Linear(f"{len(layers)}", width, wider), LeakyReLU(self.slope)]
            width = wider
        size = math.prod(sample_shape)
        layers.append(Linear(f"{len(layers)}", width, size))
        if len(sample_shape) == 3:
            layers += [Tanh(), Reshape((size,), sample_shape)]
        return Network(layers, self.initialisation)

    def discriminator(self, sample_shape: tuple[int, ...]) -> Network:
        """Build samples (K, B, *sample_shape) -> logits (K, B, 1)."""
        _check(sample_shape)
        width = math.prod(sample_shape)
        layers: list[Layer] = [Reshape(sample_shape, (width,))] if len(sample_shape) == 3 else []
        at = len(layers)
        for narrower in self.discriminator_widths:
            layers += [Linear(f"{at}", width, narrower), LeakyReLU(self.slope)]
            if self.dropout > 0:
                layers.append(Dropout((narrower,), self.dropout))
            width = narrower
            at += 3  # also without dropout, so that names do not depend on it
        layers.append(Linear(f"{at}", width, 1))
        return Network(layers, self.initialisation)


def _check(sample_shape: tuple[int, ...]) -> None:
    if len(sample_shape) not in (1, 3):
        raise ValueError(f"sample_shape={sample_shape}: mlp makes points (D,) and images (C, H, W)")
