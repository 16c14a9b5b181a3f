"""Figures of the Dirac-GAN."""
