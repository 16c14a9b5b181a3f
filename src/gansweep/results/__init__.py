"""Results of sweeps: pandas data frames for notebooks, and the tables that a sweep prints.

frame = gansweep.results.load("outputs/my_sweep")
frame.pivot_table("final", "optimizer", "lr")
"""

from gansweep.results.frame import curves, load

__all__ = ["curves", "load"]
