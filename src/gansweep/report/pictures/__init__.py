"""Figures of a sweep; each module exports a function from a `Verdict` to a matplotlib figure."""
