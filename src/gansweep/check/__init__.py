"""Contract checks for user-defined optimizers, losses, penalties, schedules and dynamics."""
