"""Trained networks of finished cells: loading, samples, export, and further metrics."""
