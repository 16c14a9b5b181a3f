"""DCGAN: convolutional generator and discriminator."""

from __future__ import annotations

from dataclasses import dataclass, field

from gansweep.interfaces import Initialisation
from gansweep.layers import (
    AppendEmbedding,
    BatchNorm,
    Conv2d,
    ConvTranspose2d,
    Embedding,
    Layer,
    LeakyReLU,
    Network,
    Projection,
    Reshape,
    SpectralNorm,
    Tanh,
)
from gansweep.models.halving import halving
from gansweep.models.initialisation import DCGANNormal


@dataclass(frozen=True)
class DCGAN:
    """DCGAN: strided convolutions to a map of 4 to 7 pixels, transposed convolutions from it.

        G: z -> s x s; 4 x 4 transposed convolutions of stride 2 up to the image size; ReLU, tanh
        D: image; 4 x 4 convolutions of stride 2 down to s x s; -> 1; leaky ReLU

    Radford et al. 2016, arXiv:1511.06434, figure 1 and section 3, in the sizes of PyTorch's DCGAN
    example. At (3, 64, 64) with batch norm in both networks, G has 3,576,704 and D 2,765,568
    parameters. With n doublings, the smallest map has base_width * 2^(n-1) channels, and every doubling
    halves the channels. The smallest map is 7 x 7 for images of 28 pixels.

    The paper uses batch norm in both networks. Here the default is no batch norm in the discriminator:
    it couples the samples of a batch, which is incompatible with gradient penalties (Gulrajani et al.
    2017, section 4). The layers of a network have biases if it has no batch norm.

    With `conditional`, G gets (z, e_c / ||e_c||), with a learned embedding e_c of the class as long as z (Mirza and
    Osindero 2014, arXiv:1411.1784, figure 1; normalised as in the code of Mescheder et al. 2018), and D is a
    projection discriminator, with v_c . h added to its logit (Miyato and Koyama 2018, arXiv:1802.05637, eq. 4). h is
    the map that the last convolution reads, without the sum over its pixels of that paper.

    Args:
        latent_dim: dimension of z.
        base_width: channels at half the image size.
        batch_norm_generator: use batch norm after every layer of the generator except the last.
        batch_norm_discriminator: use batch norm after every layer of the discriminator except the
            first and last.
        slope: negative slope of the leaky ReLUs in the discriminator.
        spectral_norm: use spectral normalisation for every weight of the discriminator.
        initialisation: distribution of the initial parameters.
        conditional: both networks get the class of every image; for data with labels.
    """

    latent_dim: int = 100
    base_width: int = 64
    batch_norm_generator: bool = True
    batch_norm_discriminator: bool = False
    slope: float = 0.2
    spectral_norm: bool = False
    initialisation: Initialisation = field(default_factory=DCGANNormal)
    conditional: bool = False

    def __post_init__(self) -> None:
        for name in ("latent_dim", "base_width"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected 1 or more")
        if not 0 <= self.slope < 1:
            raise ValueError(f"slope={self.slope}: expected 0 <= slope < 1, 0 for a ReLU")

    def generator(self, sample_shape: tuple[int, ...], num_classes: int = 0) -> Network:
        """Return the generator: z (K, B, latent_dim) -> images (K, B, C, H, W)."""
        channels, smallest, num_doublings = halving(sample_shape, "dcgan")
        bias = not self.batch_norm_generator
        widths = [self.base_width << n for n in reversed(range(num_doublings))]
        size = self.latent_dim * (2 if num_classes else 1)
        layers: list[Layer] = [Reshape((size,), (size, 1, 1))]
        layers.append(ConvTranspose2d(f"{len(layers)}", size, widths[0], smallest, bias=bias))
        for wide, narrow in zip(widths, [*widths[1:], channels], strict=True):
            if self.batch_norm_generator:
                layers.append(BatchNorm(f"{len(layers)}", wide))
            layers.append(LeakyReLU(0.0))
            layers.append(ConvTranspose2d(f"{len(layers)}", wide, narrow, 4, stride=2, padding=1, bias=bias))
        if num_classes:
            layers.insert(0, AppendEmbedding("embedding", num_classes, self.latent_dim))
        return Network([*layers, Tanh()], self.initialisation)

    def discriminator(self, sample_shape: tuple[int, ...], num_classes: int = 0) -> Network:
        """Return the discriminator: images (K, B, C, H, W) -> logits (K, B, 1)."""
        channels, smallest, num_halvings = halving(sample_shape, "dcgan")
        widths = [self.base_width << n for n in range(num_halvings)]
        layers: list[Layer] = []
        for narrow, wide in zip([channels, *widths], widths, strict=False):
            layers.append(self._conv(len(layers), narrow, wide, 4, stride=2, padding=1))
            if self.batch_norm_discriminator and len(layers) > 1:
                layers.append(BatchNorm(f"{len(layers)}", wide))
            layers.append(LeakyReLU(self.slope))
        head = [self._conv(len(layers), widths[-1], 1, smallest), Reshape((1, 1, 1), (1,))]
        if num_classes:
            vectors = Embedding("projection", num_classes, widths[-1] * smallest**2, "weight")
            head = [Projection(head, SpectralNorm(vectors) if self.spectral_norm else vectors)]
        return Network([*layers, *head], self.initialisation)

    def _conv(self, index: int, num_in: int, num_out: int, kernel: int, stride: int = 1, padding: int = 0) -> Layer:
        bias = not self.batch_norm_discriminator
        conv = Conv2d(f"{index}", num_in, num_out, kernel, stride, padding, bias)
        return SpectralNorm(conv) if self.spectral_norm else conv
