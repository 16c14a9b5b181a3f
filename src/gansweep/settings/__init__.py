"""A composed configuration against the classes that it names."""
