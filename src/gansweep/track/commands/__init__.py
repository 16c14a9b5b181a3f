"""Commands of `gansweep track`, one module each; the table of all is in `gansweep.track.__main__`."""
