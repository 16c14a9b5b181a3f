"""Learning-rate schedules: multipliers of the base learning rate as pure functions of progress, one per file."""
