"""Play, watch and record: the trainer over the member axis and what a run leaves on disk."""
