"""Composite functional gradient learning (CFG): functional gradient steps on samples, then regression of a network."""

from gansweep.algorithms.cfg.pack import CFGPack, Report
from gansweep.algorithms.cfg.settings import CFG

__all__ = ["CFG", "CFGPack", "Report"]
