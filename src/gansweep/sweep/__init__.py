"""Many runs as one thing that can be killed, continued, shared and read."""
