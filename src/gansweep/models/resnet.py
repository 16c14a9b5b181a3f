"""ResNet: residual generator and discriminator without normalisation layers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from gansweep.interfaces import Initialisation
from gansweep.layers import (
    AppendLabel,
    AvgPool2d,
    ConditionalBatchNorm,
    Conv2d,
    Embedding,
    Layer,
    LeakyReLU,
    Linear,
    Network,
    Projection,
    Reshape,
    Residual,
    SpectralNorm,
    Tanh,
    Upsample,
)
from gansweep.models.halving import halving
from gansweep.models.initialisation import TorchDefault

SLOPE = 0.2


@dataclass(frozen=True)
class ResNet:
    """ResNet of GAN_stability: residual generator and discriminator; stable with R1 up to 1024 pixels.

        G: (z, e / ||e||) -> s x s; block and nearest-neighbour doubling up to the image; block; 3 x 3; tanh
        D: 3 x 3, block; 3 x 3 average pooling with stride 2 and block down to s x s -> 1
        block(x) = shortcut(x) + 0.1 conv(leaky(conv(leaky(x)))),   3 x 3

    Mescheder et al. 2018, arXiv:1801.04406, appendix, and their code (GAN_stability,
    gan_training/models/resnet.py); the `state_dict` has the names of that code. The shortcut is the
    identity, or a 1 x 1 convolution without bias if the width changes. All leaky ReLUs have
    negative slope 0.2. All other layers have biases. There is no normalisation. Widths are
    base_width * 2^i, at most max_width. s is 4 to 7 pixels (4 in their code).

    Their networks are conditional. Here there is one label, as in their runs on LSUN and celebA-HQ. Its
    learned embedding e is scaled to length 1 and concatenated to z; with embed_size=1, only its sign
    remains. Parameters of G and D: LSUN, (3, 256, 256) with the defaults, 52,154,052 and 47,944,385;
    celebA-HQ, (3, 1024, 1024) with widths from 16 to 512, 18,810,036 and 16,705,201.

    With `conditional`, as Miyato and Koyama 2018, arXiv:1802.05637, appendix B, and unlike GAN_stability:
    conditional batch norm before every leaky ReLU of G, and D is a projection discriminator, with v_c . h
    added to its logit (eq. 4). h is the flattened map that the last layer reads, without the sum over its
    pixels of that paper.

    Args:
        latent_dim: dimension of z.
        base_width: channels at the image size.
        max_width: maximum number of channels.
        embed_size: dimension of e, 1 in their runs; 0 removes the embedding.
        spectral_norm: use spectral normalisation for every weight of the discriminator.
        initialisation: distribution of the initial parameters.
        conditional: both networks get the class of every image; for data with labels.
    """

    latent_dim: int = 256
    base_width: int = 64
    max_width: int = 1024
    embed_size: int = 1
    spectral_norm: bool = False
    initialisation: Initialisation = field(default_factory=TorchDefault)
    conditional: bool = False

    def __post_init__(self) -> None:
        for name, least in (("latent_dim", 1), ("base_width", 1), ("max_width", self.base_width), ("embed_size", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}={getattr(self, name)}: expected {least} or more")

    def generator(self, sample_shape: tuple[int, ...], num_classes: int = 0) -> Network:
        """Return the generator: z (K, B, latent_dim) -> images (K, B, C, H, W)."""
        channels, smallest, num_doublings = halving(sample_shape, "resnet")
        widths = self._widths(num_doublings)[::-1]
        layers: list[Layer] = [AppendLabel("embedding", self.embed_size)] if self.embed_size else []
        start = (widths[0], smallest, smallest)
        size = widths[0] * smallest**2
        layers += [Linear("fc", self.latent_dim + self.embed_size, size), Reshape((size,), start)]
        for n, (wide, narrow) in enumerate(itertools.pairwise(widths)):
            layers += [_block(f"resnet.{2 * n}", wide, narrow, False, num_classes), Upsample()]
        layers.append(_block(f"resnet.{2 * num_doublings}", widths[-1], widths[-1], False, num_classes))
        layers += [*_norm("bn", num_classes, widths[-1]), LeakyReLU(SLOPE)]
        return Network([*layers, Conv2d("conv_img", widths[-1], channels, 3, padding=1), Tanh()], self.initialisation)

    def discriminator(self, sample_shape: tuple[int, ...], num_classes: int = 0) -> Network:
        """Return the discriminator: images (K, B, C, H, W) -> logits (K, B, 1)."""
        channels, smallest, num_halvings = halving(sample_shape, "resnet")
        widths, normalised = self._widths(num_halvings), self.spectral_norm
        conv = Conv2d("conv_img", channels, widths[0], 3, padding=1)
        layers: list[Layer] = [_maybe(conv, normalised), _block("resnet.0", widths[0], widths[0], normalised)]
        for n, (narrow, wide) in enumerate(itertools.pairwise(widths)):
            layers += [AvgPool2d(3, stride=2, padding=1), _block(f"resnet.{2 * n + 2}", narrow, wide, normalised)]
        size = widths[-1] * smallest**2
        layers += [Reshape((widths[-1], smallest, smallest), (size,)), LeakyReLU(SLOPE)]
        head = _maybe(Linear("fc", size, 1), normalised)
        if num_classes:
            head = Projection([head], _maybe(Embedding("projection", num_classes, size, "weight"), normalised))
        return Network([*layers, head], self.initialisation)

    def _widths(self, num_doublings: int) -> list[int]:
        return [min(self.base_width << n, self.max_width) for n in range(num_doublings + 1)]


def _block(name: str, num_in: int, num_out: int, normalised: bool, num_classes: int = 0) -> Residual:
    """Return a block; with classes, its leaky ReLUs follow a conditional batch norm."""
    hidden = min(num_in, num_out)
    body = [
        *_norm(f"{name}.bn_0", num_classes, num_in),
        LeakyReLU(SLOPE),
        _maybe(Conv2d(f"{name}.conv_0", num_in, hidden, 3, padding=1), normalised),
        *_norm(f"{name}.bn_1", num_classes, hidden),
        LeakyReLU(SLOPE),
        _maybe(Conv2d(f"{name}.conv_1", hidden, num_out, 3, padding=1), normalised),
    ]
    if num_in == num_out:
        return Residual(body, factor=0.1)
    return Residual(body, [_maybe(Conv2d(f"{name}.conv_s", num_in, num_out, 1, bias=False), normalised)], 0.1)


def _norm(name: str, num_classes: int, num_features: int) -> list[Layer]:
    return [ConditionalBatchNorm(name, num_classes, num_features)] if num_classes else []


def _maybe(layer: Linear | Conv2d | Embedding, normalised: bool) -> Layer:
    return SpectralNorm(layer) if normalised else layer
