"""Command line, built on Hydra. Importing this package does not import torch."""
