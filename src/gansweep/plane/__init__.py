"""Figures of sweeps on 2D data."""
