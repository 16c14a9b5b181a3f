"""The generator of one model and the discriminator of another."""

from __future__ import annotations

from dataclasses import dataclass

from gansweep.interfaces import Model
from gansweep.layers import Network
from gansweep.models.networks import network_of


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

    def __post_init__(self) -> None:
        if getattr(self.generator_of, "conditional", False) != getattr(self.discriminator_of, "conditional", False):
            raise ValueError("generator_of and discriminator_of: expected the same value of `conditional` in both")

    @property
    def conditional(self) -> bool:
        """Whether both networks get the class of every sample."""
        return getattr(self.generator_of, "conditional", False)

    @property
    def latent_dim(self) -> int:
        """Dimension of z."""
        return self.generator_of.latent_dim

    @property
    def compiles(self) -> bool:
        """Whether torch.compile supports both networks."""
        return all(getattr(model, "compiles", True) for model in (self.generator_of, self.discriminator_of))

    def generator(self, sample_shape: tuple[int, ...], num_classes: int = 0) -> Network:
        """Return the generator of the first model: z (K, B, latent_dim) -> samples."""
        return network_of(self.generator_of, "generator", sample_shape, num_classes)

    def discriminator(self, sample_shape: tuple[int, ...], num_classes: int = 0) -> Network:
        """Return the discriminator of the second model: samples -> logits (K, B, 1)."""
        return network_of(self.discriminator_of, "discriminator", sample_shape, num_classes)
