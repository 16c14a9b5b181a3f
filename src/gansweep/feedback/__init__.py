"""Feedback: gains on the scheduled learning rate that depend on a monitored value, one per file."""
