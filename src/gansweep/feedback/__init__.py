"""Gains on the scheduled rate that answer to how the run goes, one a file."""
