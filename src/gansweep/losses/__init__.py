"""What the two players want: one game a file, and the objective that adds penalties to it."""
