"""A point that descends into a bowl: what an optimizer does where everything can be computed."""

from gansweep.algorithms.quadratic.pack import QuadraticPack
from gansweep.algorithms.quadratic.settings import Quadratic

__all__ = ["Quadratic", "QuadraticPack"]
