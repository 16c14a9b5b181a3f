"""gansweep: a benchmark of GAN optimizers and learning-rate schedules."""

__version__ = "0.1.0"
