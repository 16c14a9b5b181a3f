"""Optimizers as update rules on parameter rows (K, P), one per file."""
