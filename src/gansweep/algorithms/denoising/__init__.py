"""Denoising autoencoder: a network that restores corrupted images."""

from gansweep.algorithms.denoising.pack import DenoisingPack
from gansweep.algorithms.denoising.settings import Denoising

__all__ = ["Denoising", "DenoisingPack"]
