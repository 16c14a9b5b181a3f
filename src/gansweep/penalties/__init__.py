"""Gradient penalties on the discriminator, one per file."""
