"""The Dirac-GAN, a GAN of two numbers, on which convergence can be computed. See docs/dirac.md."""
