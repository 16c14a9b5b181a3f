"""Distances of generated samples to a data set."""
