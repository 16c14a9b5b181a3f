"""Algorithms: what one step of a training is, a folder for each.

`config.py` is what conf/algorithm/NAME.yaml makes, `pack.py` is the box of the paper, and beside them
is what the box is made of.
"""
