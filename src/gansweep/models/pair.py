"""The generator of one model and the discriminator of another."""

from __future__ import annotations

from dataclasses import dataclass

from gansweep.interfaces import Model
from gansweep.layers import Network


@dataclass(frozen=True)
class Pair:
    """Combination of two models, such as a fully connected generator and a convolutional discriminator.

    conf/model/mlp_cfg.yaml combines the networks of Johnson and Zhang 2018, arXiv:1801.06309: a
    generator with two hidden layers of 512 ReLUs, and the discriminator of `dcganx`. The generator
    has 839,680 parameters at (1, 32, 32) and 1,890,304 at (3, 32, 32).

    Args:
        generator_of: model that provides the generator and the dimension of z.
        discriminator_of: model that provides the discriminator.
    """

    generator_of: Model
    discriminator_of: Model

    @property
    def latent_dim(self) -> int:
        """Dimension of z."""
        return self.generator_of.latent_dim

    def generator(self, sample_shape: tuple[int, ...]) -> Network:
        """Return the generator of the first model: z (K, B, latent_dim) -> samples."""
        return self.generator_of.generator(sample_shape)

    def discriminator(self, sample_shape: tuple[int, ...]) -> Network:
        """Return the discriminator of the second model: samples -> logits (K, B, 1)."""
        return self.discriminator_of.discriminator(sample_shape)
