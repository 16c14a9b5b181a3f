"""Gradient vector fields of the Dirac-GAN, one training method per file."""
