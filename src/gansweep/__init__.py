"""gansweep: the bench on which GAN optimizers and learning-rate schedules are compared."""

__version__ = "0.1.0"
