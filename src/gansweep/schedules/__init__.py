"""Learning-rate schedules, one per file: multipliers of the base learning rate."""
