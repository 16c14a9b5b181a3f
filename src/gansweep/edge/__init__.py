"""Largest stable learning rates from the linearized training step: `python -m gansweep.edge`."""
