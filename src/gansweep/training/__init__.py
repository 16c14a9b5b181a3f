"""Training loop, evaluation and recording of the members of a pack, and the files of a run."""
