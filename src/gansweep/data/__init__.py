"""What generators learn to imitate, as one tensor each."""
