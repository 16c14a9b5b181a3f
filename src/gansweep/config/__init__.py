"""Declaration, type checking and instantiation of the settings of a run."""
