"""Update rules of the Dirac-GAN in numpy, vectorized over games."""
