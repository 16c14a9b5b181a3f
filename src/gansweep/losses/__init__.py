"""GAN losses, one per file, and the objective that combines a loss with penalties."""
