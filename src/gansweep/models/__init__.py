"""Pairs of networks, and where their parameters start."""
