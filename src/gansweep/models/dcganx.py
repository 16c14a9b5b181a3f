"""DCGANX: convolutional networks of composite functional gradient learning."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from gansweep.interfaces import Initialisation
from gansweep.layers import (
    BatchNorm,
    Conv2d,
    ConvTranspose2d,
    Layer,
    LeakyReLU,
    Linear,
    Network,
    Reshape,
    Tanh,
    spectrally_normalised,
)
from gansweep.models.halving import square
from gansweep.models.initialisation import CFGNormal

SLOPE = 0.2


@dataclass(frozen=True)
class DCGANX:
    """DCGANX: DCGAN with an additional 1 x 1 convolution after each 5 x 5 convolution.

        G: z -> s x s; [ReLU, 5 x 5 doubling, ReLU, 1 x 1] up to the image, without the last 1 x 1; tanh
        D: 5 x 5 halving, leaky ReLU; [5 x 5 halving, leaky ReLU, 1 x 1, leaky ReLU] down to s x s -> 1

    Johnson and Zhang 2018, arXiv:1801.06309, and their PyTorch code (cfg-gan-pt, netdef.py,
    dcganx_G and dcganx_D). Batch norm follows every convolution within [ ], before its activation.
    All convolutions have biases. Numbers of parameters of G and D, each with and without batch norm:

        MNIST, base_width 32, (1, 32, 32)      469,345    468,961      280,513    279,745
        (3, 32, 32)                          1,464,131  1,463,363    1,117,185  1,115,649
        (3, 64, 64), depth 4                 5,221,699  5,219,907    4,663,297  4,659,713

    In their code, D never uses the biases within [ ], because it looks them up by a wrong name.
    Here it uses them: before batch norm they have no effect; without batch norm, D has more
    parameters than theirs. Here images can have any size: s is the side halved `depth` times and
    rounded up, which is 4 for the 28 pixels of MNIST. They pad MNIST to 32 pixels. The default is
    no batch norm in D, as in `dcgan`.

    Args:
        latent_dim: dimension of z.
        base_width: channels at half the image size; every halving doubles them.
        depth: number of halvings.
        batch_norm_generator: use batch norm in the generator.
        batch_norm_discriminator: use batch norm in the discriminator.
        spectral_norm: use spectral normalisation for every weight of the discriminator.
        initialisation: distribution of the initial parameters.
    """

    latent_dim: int = 100
    base_width: int = 64
    depth: int = 3
    batch_norm_generator: bool = True
    batch_norm_discriminator: bool = False
    spectral_norm: bool = False
    initialisation: Initialisation = field(default_factory=CFGNormal)

    def __post_init__(self) -> None:
        for name in ("latent_dim", "base_width", "depth"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected 1 or more")

    def generator(self, sample_shape: tuple[int, ...]) -> Network:
        """Return the generator: z (K, B, latent_dim) -> images (K, B, C, H, W)."""
        channels, sides = self._plan(sample_shape)
        sides, widths = sides[::-1], self._widths[::-1]
        size = widths[0] * sides[0] ** 2
        layers: list[Layer] = [
            Linear("proj", self.latent_dim, size),
            Reshape((size,), (widths[0], sides[0], sides[0])),
        ]
        for n, (wide, narrow) in enumerate(zip(widths, [*widths[1:], channels], strict=True)):
            last, name = n == self.depth - 1, f"group{n}.block0"
            convolution = "last_convT" if last else f"{name}.convT0"
            odd = sides[n + 1] % 2  # an odd side is rounded up when it is halved
            layers += [LeakyReLU(0.0), ConvTranspose2d(convolution, wide, narrow, 5, 2, 2, output_padding=1 - odd)]
            if not last:
                normalised = self.batch_norm_generator
                layers += _normed(f"{name}.bn0", narrow, normalised)
                layers += [LeakyReLU(0.0), Conv2d(f"{name}.conv1", narrow, narrow, 1)]
                layers += _normed(f"{name}.bn1", narrow, normalised)
        return Network([*layers, Tanh()], self.initialisation)

    def discriminator(self, sample_shape: tuple[int, ...]) -> Network:
        """Return the discriminator: images (K, B, C, H, W) -> logits (K, B, 1)."""
        channels, sides = self._plan(sample_shape)
        widths, normalised = self._widths, self.batch_norm_discriminator
        layers: list[Layer] = [Conv2d("conv0", channels, widths[0], 5, stride=2, padding=2), LeakyReLU(SLOPE)]
        for n, (narrow, wide) in enumerate(itertools.pairwise(widths)):
            name = f"group{n}.block0"
            layers.append(Conv2d(f"{name}.conv0", narrow, wide, 5, stride=2, padding=2))
            layers += [*_normed(f"{name}.bn0", wide, normalised), LeakyReLU(SLOPE)]
            layers.append(Conv2d(f"{name}.conv1", wide, wide, 1))
            layers += [*_normed(f"{name}.bn1", wide, normalised), LeakyReLU(SLOPE)]
        size = widths[-1] * sides[-1] ** 2
        layers += [Reshape((widths[-1], sides[-1], sides[-1]), (size,)), Linear("fc", size, 1)]
        return Network(spectrally_normalised(layers) if self.spectral_norm else layers, self.initialisation)

    @property
    def _widths(self) -> list[int]:
        return [self.base_width << n for n in range(self.depth)]

    def _plan(self, sample_shape: tuple[int, ...]) -> tuple[int, list[int]]:
        """Return the channels of the image and the sides of all maps, from the image to the smallest."""
        channels, side = square(sample_shape, "dcganx")
        sides = [side]
        for _ in range(self.depth):
            if sides[-1] < 2:
                raise ValueError(
                    f"dcganx cannot halve {side} pixels depth={self.depth} times; "
                    f"samples of the data have shape {sample_shape}"
                )
            sides.append((sides[-1] + 1) // 2)
        return channels, sides


def _normed(name: str, width: int, batch_norm: bool) -> list[Layer]:
    return [BatchNorm(name, width)] if batch_norm else []
