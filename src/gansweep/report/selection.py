"""The value that represents a run; the module is `gansweep.results.leaderboard`."""

from gansweep.results.leaderboard import FINAL, Selected, select

__all__ = ["FINAL", "Selected", "select"]
