"""Sweep reports: tables, statistical verdicts, figures and an HTML page."""
