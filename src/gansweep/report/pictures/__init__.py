"""Pictures of a sweep, each a function of its verdict. They need matplotlib: pip install gansweep[pictures]."""
