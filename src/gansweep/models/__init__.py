"""Generator and discriminator architectures, and the initialisation of their parameters."""
