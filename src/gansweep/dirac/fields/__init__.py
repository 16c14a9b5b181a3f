"""How the two players of the Dirac-GAN move, one training method per file."""
