"""Settings of a minimal training."""

TINY = [
    "model.latent_dim=4",
    "model.generator_widths=[8]",
    "model.discriminator_widths=[8]",
    "~metric",
    "batch_size=8",
    "steps=2",
    "device=cpu",
    "trainer.tensorboard=false",
    "workers=1",
    "pack=1",
]
