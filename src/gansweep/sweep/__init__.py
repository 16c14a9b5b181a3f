"""Sweeps: training of many runs with resumption, locking between processes, records and tables."""
