"""Hydra plugins of gansweep."""
