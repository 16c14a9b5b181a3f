"""A descriptor revises what a generator proposes, and both learn from the revision."""

from gansweep.algorithms.coopnets.pack import CoopNetsPack, Report
from gansweep.algorithms.coopnets.settings import CoopNets

__all__ = ["CoopNets", "CoopNetsPack", "Report"]
