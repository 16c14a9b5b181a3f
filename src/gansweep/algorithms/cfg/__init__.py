"""Composite functional gradients: samples are pushed, a network learns where they went."""

from gansweep.algorithms.cfg.pack import CFGPack, Report
from gansweep.algorithms.cfg.settings import CFG

__all__ = ["CFG", "CFGPack", "Report"]
