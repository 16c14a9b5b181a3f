"""Pictures of a sweep, each a function of its verdict."""
