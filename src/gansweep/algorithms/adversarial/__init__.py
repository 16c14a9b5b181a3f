"""Adversarial training of a generator and a discriminator."""

from gansweep.algorithms.adversarial.pack import AdversarialPack, Report
from gansweep.algorithms.adversarial.settings import Adversarial

__all__ = ["Adversarial", "AdversarialPack", "Report"]
