"""CoopNets: descriptor and generator of Hill and Nijkamp's study of learning-rate decay."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from gansweep.interfaces import Initialisation
from gansweep.layers import (
    Conv2d,
    ConvTranspose2d,
    Crop,
    Layer,
    LeakyReLU,
    Network,
    Reshape,
    Tanh,
    spectrally_normalised,
)
from gansweep.models.halving import square
from gansweep.models.initialisation import DCGANNormal


@dataclass(frozen=True)
class CoopNetsPair:
    """CoopNets architecture: a convolutional descriptor and a transposed-convolutional generator.

        D: 11 x 11, stride 2; 7 x 7, stride 2; kernel of the size of the map -> f; a ReLU after
            each, also after f
        G: z -> s x s; 5 x 5, stride 3, s -> 3 s - 1, twice; leaky ReLU, tanh

    Hill and Nijkamp 2017, "Learning-Rate Decay for Generator", as in their code: the maps have 16,
    8 and 1 pixels in D, and 4, 11 and 32 in G. At (3, 32, 32) and width=100, D has 1,059,301 and G
    555,803 parameters. Images of another size than 9 s - 4 are cropped from the next larger size.

    There is no batch norm, although the settings in the paper mention it. Only CoopNets can train
    this D: in a GAN loss, the ReLU after f has zero gradient when all its inputs are negative.

    Args:
        latent_dim: dimension of z.
        width: channels of the inner maps; the first map of D and the first map of G have twice as many.
        spectral_norm: use spectral normalisation for every weight of the descriptor.
        initialisation_generator: distribution of the generator's initial parameters.
        initialisation_discriminator: distribution of the descriptor's initial parameters.
    """

    latent_dim: int = 15
    width: int = 100
    spectral_norm: bool = False
    initialisation_generator: Initialisation = field(default_factory=lambda: DCGANNormal(0.005))
    initialisation_discriminator: Initialisation = field(default_factory=lambda: DCGANNormal(0.01))

    def __post_init__(self) -> None:
        for name in ("latent_dim", "width"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected 1 or more")

    def generator(self, sample_shape: tuple[int, ...]) -> Network:
        """Return the generator: z (K, B, latent_dim) -> images (K, B, C, H, W)."""
        channels, side = square(sample_shape, "coopnets")
        first = math.ceil((side + 4) / 9)
        second, wide, narrow = 3 * first - 1, 2 * self.width, self.width
        layers: list[Layer] = [
            Reshape((self.latent_dim,), (self.latent_dim, 1, 1)),
            ConvTranspose2d("0", self.latent_dim, wide, first, stride=3),
            LeakyReLU(0.2),
            ConvTranspose2d("2", wide, narrow, 5, stride=3, padding=1),
            Crop(second),
            LeakyReLU(0.2),
            ConvTranspose2d("4", narrow, channels, 5, stride=3, padding=1),
            Crop(side),
            Tanh(),
        ]
        return Network(layers, self.initialisation_generator)

    def discriminator(self, sample_shape: tuple[int, ...]) -> Network:
        """Return the descriptor: images (K, B, C, H, W) -> f (K, B, 1)."""
        channels, side = square(sample_shape, "coopnets")
        rest = math.ceil(side / 4)
        layers: list[Layer] = [
            Conv2d("0", channels, 2 * self.width, 11, stride=2, padding=5),
            LeakyReLU(0.0),
            Conv2d("2", 2 * self.width, self.width, 7, stride=2, padding=3),
            LeakyReLU(0.0),
            Conv2d("4", self.width, 1, rest),
            LeakyReLU(0.0),
            Reshape((1, 1, 1), (1,)),
        ]
        return Network(
            spectrally_normalised(layers) if self.spectral_norm else layers, self.initialisation_discriminator
        )
