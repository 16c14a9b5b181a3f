"""What Hydra finds of gansweep."""
