"""Networks, data and models with one fault each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch

from gansweep.layers import LeakyReLU, Linear, Network
from gansweep.layers.layer import Parameterless
from gansweep.models.initialisation import TorchDefault


class LastLayer(Parameterless):
    """The last layer of a discriminator, without a mistake."""

    def forward(self, params, x, state):
        return x

    def pull_back(self, params, x, grad_output, state):
        return grad_output


class MixesMembers(LastLayer):
    """A mean over the wrong axis."""

    def forward(self, params, x, state):
        return x - x.mean(0) / 2

    def pull_back(self, params, x, grad_output, state):
        return grad_output - grad_output.mean(0) / 2


class WrongPullBack(LastLayer):
    def forward(self, params, x, state):
        return 2 * x


class CountsItsPasses(LastLayer):
    passes = 0

    def forward(self, params, x, state):
        CountsItsPasses.passes += 1
        return x * (1 + 0.1 * CountsItsPasses.passes)

    piecewise_linear = False


class TwoLogits(LastLayer):
    def forward(self, params, x, state):
        return torch.cat([x, x], 2)

    piecewise_linear = False


class NoisyStart(TorchDefault):
    def __call__(self, slot, generator):
        return torch.randn(slot.shape)


@dataclass(frozen=True)
class WithLastLayer:
    """A pair whose discriminator ends in a layer."""

    last: Any = field(default_factory=LastLayer)
    initialisation: Any = field(default_factory=TorchDefault)
    latent_dim: ClassVar[int] = 3

    def generator(self, sample_shape):
        return Network([Linear("0", 3, sample_shape[0])], self.initialisation)

    def discriminator(self, sample_shape):
        layers = [Linear("0", sample_shape[0], 8), LeakyReLU(0.2), Linear("2", 8, 1), self.last]
        return Network(layers, self.initialisation)
