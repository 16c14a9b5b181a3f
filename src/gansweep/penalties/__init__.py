"""Prices on the slope of the discriminator, one a file."""
