"""Tests. A regular package: torch-fidelity installs a package `tests`, which would shadow a namespace."""
