"""What the field of a game tells about a training, one quantity a file; torch and numpy alone."""
