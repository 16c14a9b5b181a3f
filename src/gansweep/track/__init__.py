"""GAN Track: entries of optimizers and schedules, compared on frozen tasks by a rule that was fixed before them."""
