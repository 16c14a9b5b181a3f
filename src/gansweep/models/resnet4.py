"""ResNet4: residual networks of composite functional gradient learning."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from gansweep.interfaces import Initialisation
from gansweep.layers import (
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Layer,
    LeakyReLU,
    Linear,
    Network,
    Reshape,
    Residual,
    Tanh,
    Upsample,
    spectrally_normalised,
)
from gansweep.models.halving import square
from gansweep.models.initialisation import CFGNormal

NUM_BLOCKS = 4


@dataclass(frozen=True)
class ResNet4:
    """ResNet4: four residual blocks per network, each of which doubles or halves the image size.

        G: z -> s x s; ReLU and block, four times; ReLU, 3 x 3, tanh
        D: block; ReLU and block, three times; ReLU -> 1
        G's block(x) = up(conv1x1(x)) + conv3x3(relu(conv3x3(up(x))))
        D's block(x) = conv1x1(down(x)) + down(conv3x3(relu(conv3x3(x))))

    Johnson and Zhang 2018, arXiv:1801.06309, and their PyTorch code (cfg-gan-pt, netdef.py,
    resnet4_G and resnet4_D). up is nearest-neighbour upsampling, down is 2 x 2 average pooling. In
    their code, the ReLU before a block works in place and therefore also applies to the shortcut.
    Batch norm follows the second 3 x 3 convolution. 3 x 3 convolutions have biases, 1 x 1
    convolutions have none. The widths of D are base_width times 1, 2, 4, 8. G starts with
    base_width times 8; its blocks have base_width times 4, 2, 1, 1. Numbers of parameters of G and
    D, each with and without batch norm:

        (3, 64, 64)    3,403,459  3,402,435    2,544,833  2,542,913
        (3, 32, 32)    2,782,915  2,781,891    2,538,689  2,536,769

    In their code, D never uses the biases of its 3 x 3 convolutions, because it looks them up by a
    wrong name. Here it uses them; before batch norm they have no effect. If the image cannot be
    halved four times, the blocks next to the fully connected layer keep the size; the smallest map
    of 28 pixels is 7. The default is no batch norm in D, as in `dcgan`.

    Args:
        latent_dim: dimension of z.
        base_width: channels at the image size.
        batch_norm_generator: use batch norm in the generator.
        batch_norm_discriminator: use batch norm in the discriminator.
        spectral_norm: use spectral normalisation for every weight of the discriminator.
        initialisation: distribution of the initial parameters.
    """

    latent_dim: int = 100
    base_width: int = 64
    batch_norm_generator: bool = True
    batch_norm_discriminator: bool = False
    spectral_norm: bool = False
    initialisation: Initialisation = field(default_factory=CFGNormal)

    def __post_init__(self) -> None:
        for name in ("latent_dim", "base_width"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected 1 or more")

    def generator(self, sample_shape: tuple[int, ...]) -> Network:
        """Return the generator: z (K, B, latent_dim) -> images (K, B, C, H, W)."""
        channels, smallest, num_doublings = _plan(sample_shape)
        widths = [self.base_width * times for times in (8, 4, 2, 1, 1)]
        size = widths[0] * smallest**2
        layers: list[Layer] = [
            Linear("proj", self.latent_dim, size),
            Reshape((size,), (widths[0], smallest, smallest)),
        ]
        for n, (wide, narrow) in enumerate(itertools.pairwise(widths)):
            name = f"group{n}.block0"
            up: list[Layer] = [Upsample()] if n >= NUM_BLOCKS - num_doublings else []
            body = [*up, *_body(name, wide, narrow, narrow, self.batch_norm_generator)]
            layers += [LeakyReLU(0.0), Residual(body, [Conv2d(f"{name}.convdim", wide, narrow, 1, bias=False), *up])]
        layers += [LeakyReLU(0.0), Conv2d("last_conv", widths[-1], channels, 3, padding=1), Tanh()]
        return Network(layers, self.initialisation)

    def discriminator(self, sample_shape: tuple[int, ...]) -> Network:
        """Return the discriminator: images (K, B, C, H, W) -> logits (K, B, 1)."""
        channels, smallest, num_halvings = _plan(sample_shape)
        widths = [channels, *(self.base_width * times for times in (1, 2, 4, 8))]
        layers: list[Layer] = []
        for n, (narrow, wide) in enumerate(itertools.pairwise(widths)):
            name = f"group{n}.block0"
            down: list[Layer] = [AvgPool2d(2, stride=2)] if n < num_halvings else []
            body = [*_body(name, narrow, wide if n == 0 else narrow, wide, self.batch_norm_discriminator), *down]
            block = Residual(body, [*down, Conv2d(f"{name}.convdim", narrow, wide, 1, bias=False)])
            layers += [block, LeakyReLU(0.0)]
        size = widths[-1] * smallest**2
        layers += [Reshape((widths[-1], smallest, smallest), (size,)), Linear("fc", size, 1)]
        return Network(spectrally_normalised(layers) if self.spectral_norm else layers, self.initialisation)


def _body(name: str, num_in: int, hidden: int, num_out: int, batch_norm: bool) -> list[Layer]:
    layers: list[Layer] = [
        Conv2d(f"{name}.conv0", num_in, hidden, 3, padding=1),
        LeakyReLU(0.0),
        Conv2d(f"{name}.conv1", hidden, num_out, 3, padding=1),
    ]
    return [*layers, BatchNorm(f"{name}.bn", num_out)] if batch_norm else layers


def _plan(sample_shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return the channels, the side of the smallest map, and the number of doublings (at most four)."""
    channels, smallest = square(sample_shape, "resnet4")
    times = 0
    while smallest % 2 == 0 and times < NUM_BLOCKS:
        smallest, times = smallest // 2, times + 1
    if times == 0:
        raise ValueError(
            f"resnet4 makes images of an even number of pixels; samples of the data have shape {sample_shape}"
        )
    return channels, smallest, times
