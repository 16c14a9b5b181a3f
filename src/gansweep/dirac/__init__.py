"""The Dirac-GAN: a GAN with two parameters whose convergence can be computed. See docs/dirac.md."""
