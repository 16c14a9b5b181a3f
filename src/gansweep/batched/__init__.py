"""Batched training: K independent runs along the member axis."""
