"""Game dynamics: update directions from the gradients of both players, one per file."""
