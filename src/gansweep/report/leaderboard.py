"""The configurations of a sweep; the module is `gansweep.results.leaderboard`."""

from gansweep.results.leaderboard import Configuration, Leaderboard, leaderboards

contests = leaderboards  # the earlier name

__all__ = ["Configuration", "Leaderboard", "contests", "leaderboards"]
