"""Layers on inputs (K, B, ...): one parameter set per member, one call for all members."""

from gansweep.layers.activation import LeakyReLU, Scale, Tanh
from gansweep.layers.batch_norm import BatchNorm
from gansweep.layers.chain import Residual
from gansweep.layers.conditional import AppendEmbedding, ConditionalBatchNorm, Embedding, FiLM, Projection
from gansweep.layers.convolution import Conv2d, ConvTranspose2d
from gansweep.layers.dropout import Dropout
from gansweep.layers.layer import Layer, Pass, each_member
from gansweep.layers.linear import AppendLabel, Linear
from gansweep.layers.network import Network
from gansweep.layers.resampling import AvgPool2d, Crop, Reshape, Upsample
from gansweep.layers.spectral_norm import SpectralNorm, spectrally_normalised

__all__ = [
    "AppendEmbedding",
    "AppendLabel",
    "AvgPool2d",
    "BatchNorm",
    "ConditionalBatchNorm",
    "Conv2d",
    "ConvTranspose2d",
    "Crop",
    "Dropout",
    "Embedding",
    "FiLM",
    "Layer",
    "LeakyReLU",
    "Linear",
    "Network",
    "Pass",
    "Projection",
    "Reshape",
    "Residual",
    "Scale",
    "SpectralNorm",
    "Tanh",
    "Upsample",
    "each_member",
    "spectrally_normalised",
]
