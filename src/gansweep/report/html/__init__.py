"""One page with everything in it, to be opened from disk."""
