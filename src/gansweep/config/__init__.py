"""From a composed configuration to a checked run: the declared settings, their types, and the objects they name."""
