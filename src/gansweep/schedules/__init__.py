"""Multipliers of the base rate, each a pure function of progress."""
