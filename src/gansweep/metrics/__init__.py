"""Metrics of generated samples, most of them distances to a data set."""
