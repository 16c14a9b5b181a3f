"""Figures of the Dirac-GAN. They need matplotlib: pip install gansweep[pictures]."""
