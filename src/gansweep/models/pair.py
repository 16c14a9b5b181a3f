"""The generator of one model and the discriminator of another."""

from __future__ import annotations

from dataclasses import dataclass

from gansweep.interfaces import Model
from gansweep.layers import Network


@dataclass(frozen=True)
class Pair:
    """Two halves of two models, such as a fully connected generator and a convolutional discriminator.

    conf/model/mlp_cfg.yaml is the pair of Johnson and Zhang 2018, arXiv:1801.06309: two hidden layers of
    512 ReLUs against `dcganx`. Its generator has 839,680 parameters at (1, 32, 32) and 1,890,304 at (3, 32, 32).

    Args:
        generator_of: the model whose generator is taken, and its z.
        discriminator_of: the model whose discriminator is taken.
    """

    generator_of: Model
    discriminator_of: Model

    @property
    def latent_dim(self) -> int:
        """Length of z."""
        return self.generator_of.latent_dim

    def generator(self, sample_shape: tuple[int, ...]) -> Network:
        """Build the first model's map of z (K, B, latent_dim) to samples."""
        return self.generator_of.generator(sample_shape)

    def discriminator(self, sample_shape: tuple[int, ...]) -> Network:
        """Build the second model's map of samples to logits (K, B, 1)."""
        return self.discriminator_of.discriminator(sample_shape)
