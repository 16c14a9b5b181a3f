"""CoopNets: cooperative training of an energy-based descriptor and a generator."""

from gansweep.algorithms.coopnets.pack import CoopNetsPack, Report
from gansweep.algorithms.coopnets.settings import CoopNets

__all__ = ["CoopNets", "CoopNetsPack", "Report"]
