"""The configurations of a sweep; the module is `gansweep.results.leaderboard`."""

from gansweep.results.leaderboard import Candidate, Contest, contests

__all__ = ["Candidate", "Contest", "contests"]
