"""One network that restores spoiled images."""

from gansweep.algorithms.denoising.pack import DenoisingPack, Report
from gansweep.algorithms.denoising.settings import Denoising

__all__ = ["Denoising", "DenoisingPack", "Report"]
