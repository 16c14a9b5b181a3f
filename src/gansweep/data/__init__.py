"""Data sets, each stored as one tensor."""
