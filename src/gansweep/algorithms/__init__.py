"""Algorithms: what one step of a training is, one file for each box of a paper."""
