"""Minimisation of a quadratic with known closed-form solutions, to test optimizers."""

from gansweep.algorithms.quadratic.pack import QuadraticPack
from gansweep.algorithms.quadratic.settings import Quadratic

__all__ = ["Quadratic", "QuadraticPack"]
