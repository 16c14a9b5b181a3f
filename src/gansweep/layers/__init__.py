"""Layers over (K, B, ...): one set of parameters per member, one call for all."""

from gansweep.layers.activation import LeakyReLU, Tanh
from gansweep.layers.batch_norm import BatchNorm
from gansweep.layers.convolution import Conv2d, ConvTranspose2d
from gansweep.layers.dropout import Dropout
from gansweep.layers.layer import Layer, Pass, each_member
from gansweep.layers.linear import Linear
from gansweep.layers.network import Network
from gansweep.layers.reshape import Reshape

__all__ = [
    "BatchNorm",
    "Conv2d",
    "ConvTranspose2d",
    "Dropout",
    "Layer",
    "LeakyReLU",
    "Linear",
    "Network",
    "Pass",
    "Reshape",
    "Tanh",
    "each_member",
]
